/** What a user types in to sign up. */
export interface Person {
  name: string;
  email: string;
  password: string;
}

let people = 0;

/** A person with an address that no other test uses. */
export function newPerson(): Person {
  people += 1;
  const unique = `${process.pid}-${people}`;
  return { name: `Ada ${unique}`, email: `ada-${unique}@example.org`, password: 'four wet boats row 97' };
}

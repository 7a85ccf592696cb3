/** Somebody with an account, as a person types it in. */
export interface Person {
  name: string;
  email: string;
  password: string;
}

let people = 0;

/** A person that no other test knows. */
export function somebody(): Person {
  people += 1;
  const unique = `${process.pid}-${people}`;
  return { name: `Ada ${unique}`, email: `ada-${unique}@example.org`, password: 'four wet boats row 97' };
}

import { expect, test } from '../fixtures.ts';
import { AccountPages } from '../pages/account.ts';
import { linkPath } from '../mailbox.ts';
import { waitForHydration } from '../hydration.ts';
import { newPerson } from '../person.ts';

test.use({ services: ['mailbox'] });

test('a new account is confirmed by a link that is sent again, in another browser', async ({ browser, colloquy, person, accounts, page, mailbox, expectAccessible, hydrated, pageErrors }) => {
  pageErrors.allow(/status of 4(09|10)/);
  expect(person.name).toBeTruthy();
  await accounts.signOut();
  const guest = newPerson();
  await accounts.openSignUp();
  await accounts.fillSignUp(guest);
  await expect(page).toHaveURL(/\/check-inbox$/);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Check your inbox');
  await expect(page.getByRole('main')).toContainText(guest.email);
  await expectAccessible();
  const newestLink = async () => linkPath(await mailbox.waitForMail(guest.email, ''));
  const first = await newestLink();
  const again = page.getByRole('button', { name: 'Send again' });
  if (hydrated) {
    // For half a minute, in which the mail arrives.
    await expect(again).toHaveAttribute('aria-disabled', 'true');
  }
  await page.reload();
  await waitForHydration(page, hydrated);
  await again.click();
  await expect(page.getByRole('status')).toContainText('It can take a minute for an email to arrive.');
  await expect.poll(newestLink).not.toBe(first);

  await accounts.openSignIn();
  await accounts.fillSignIn(guest.email, guest.password);
  await expect(page.getByRole('alert')).toHaveText(`Confirm your email first. We've sent a new link to ${guest.email}.`);
  await expect(page.getByRole('status')).toHaveCount(0);

  const elsewhere = await browser.newContext({ baseURL: colloquy.url, javaScriptEnabled: hydrated });
  const other = await elsewhere.newPage();
  const there = new AccountPages(other, hydrated);
  await other.goto(first);
  await waitForHydration(other, hydrated);
  await other.getByRole('button', { name: 'Confirm email' }).click();
  await expect(other).toHaveURL(/\/sign-in\?done=verified/);
  await expect(other.getByRole('status')).toHaveText('Your email is confirmed. Sign in to continue.');
  await expect(there.email).toHaveValue(guest.email);
  await there.fillSignIn(guest.email, guest.password);
  await there.expectSignedIn();
  await elsewhere.close();
});

test('confirming the address signs in the browser of the sign-up', async ({ person, accounts, page, mailbox, hydrated }) => {
  expect(person.name).toBeTruthy();
  await accounts.signOut();
  const guest = newPerson();
  await accounts.openSignUp();
  await accounts.fillSignUp(guest);
  await expect(page).toHaveURL(/\/check-inbox$/);
  await page.goto(linkPath(await mailbox.waitForMail(guest.email, '')));
  await waitForHydration(page, hydrated);
  await page.getByRole('button', { name: 'Confirm email' }).click();
  await accounts.expectSignedIn();
});

test('a dead link leads to another one', async ({ accounts, page, person, mailbox, expectAccessible, hydrated, pageErrors }) => {
  pageErrors.allow(/status of 410/);
  await accounts.signOut();
  await page.goto('/verify-address?token=x');
  await waitForHydration(page, hydrated);
  await expect(page.getByRole('alert')).toContainText('This link has expired or was already used.');
  await expect(page.getByRole('button', { name: 'Confirm email' })).toHaveCount(0);
  await expectAccessible();
  await accounts.email.fill(person.email);
  await page.getByRole('button', { name: 'Send a new link' }).click();
  await expect(page).toHaveURL(/\/check-inbox$/);
  await expect(page.getByRole('main')).toContainText(person.email);
  await mailbox.waitForMail(person.email, '');
  await page.getByRole('link', { name: 'Use another address' }).click();
  await expect(page).toHaveURL(/with=another/);
  await waitForHydration(page, hydrated);
  await accounts.email.fill(newPerson().email);
  await page.getByRole('button', { name: 'Send a new link' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Check your inbox');
});

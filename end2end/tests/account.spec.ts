import { waitForHydration } from '../hydration.ts';
import { expect, test } from '../fixtures.ts';
import { newPerson } from '../person.ts';

test.describe('the first account', () => {
  test.use({ serverSettings: { COLLOQUY_SIGN_UP: 'closed' } });

  test('is the administrator’s, and sign-up is closed afterwards', async ({ accounts, page, expectAccessible }) => {
    const person = newPerson();
    await accounts.openSignUp();
    await expect(page.getByText(/administrator/i)).toBeVisible();
    await expectAccessible();
    await accounts.fillSignUp(person);
    await accounts.expectSignedIn();

    await accounts.signOut();
    await accounts.openSignUp();
    await expect(page.getByText(/closed/i)).toBeVisible();
    await expect(accounts.password).toHaveCount(0);
  });
});

test('sign up, sign out, sign in', async ({ accounts, page }) => {
  const person = newPerson();
  await accounts.signUp(person);
  await expect(page.getByRole('heading', { level: 1 })).toContainText(person.name.split(' ')[0] ?? '');
  await accounts.signOut();
  await accounts.openSignIn();
  await accounts.fillSignIn(person.email, person.password);
  await accounts.expectSignedIn();
});

test('the error of a failed sign-in does not reveal whether the account exists', async ({ accounts, person, page, pageErrors, expectAccessible }) => {
  pageErrors.allow(/status of 4\d\d/);
  await accounts.signOut();
  await accounts.openSignIn();
  await accounts.fillSignIn(person.email, 'four dry boats row 98');
  await expect(accounts.wrongCredentials).toBeVisible();
  await expect(page).toHaveURL(/\/sign-in/);
  await expectAccessible();

  await accounts.openSignIn();
  await accounts.fillSignIn(newPerson().email, person.password);
  await expect(accounts.wrongCredentials).toBeVisible();
});

test('an easily guessed password is rejected with a reason', async ({ accounts, page, pageErrors }) => {
  pageErrors.allow(/status of 4\d\d/);
  await accounts.openSignUp();
  await accounts.fillSignUp({ ...newPerson(), password: 'password1234' });
  await expect(page.getByText(/commonly used password|easy to guess/i).first()).toBeVisible();
  await expect(page).toHaveURL(/\/sign-up/);
});

test('an anonymous user is redirected to sign in, and then back to the page', async ({ accounts, person, page, hydrated }) => {
  await accounts.signOut();
  await page.goto('/sessions');
  await expect(page).toHaveURL(/\/sign-in/);
  await waitForHydration(page, hydrated);
  await accounts.fillSignIn(person.email, person.password);
  await expect(page).toHaveURL(/\/sessions$/);
});

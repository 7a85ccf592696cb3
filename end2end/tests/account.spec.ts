import { awake } from '../awake.ts';
import { expect, test } from '../fixtures.ts';
import { somebody } from '../person.ts';

test.describe('the first account', () => {
  test.use({ own: { COLLOQUY_SIGN_UP: 'closed' } });

  test('is the administrator’s, and sign-up closes behind it', async ({ accounts, page, accessible }) => {
    const person = somebody();
    await accounts.openSignUp();
    await expect(page.getByText(/administrator/i)).toBeVisible();
    await accessible();
    await accounts.fillSignUp(person);
    await accounts.expectSignedIn();

    await accounts.signOut();
    await accounts.openSignUp();
    await expect(page.getByText(/closed/i)).toBeVisible();
    await expect(accounts.password).toHaveCount(0);
  });
});

test('sign up, sign out, sign in', async ({ accounts, person, page }) => {
  await expect(page.getByRole('heading', { level: 1 })).toContainText(person.name.split(' ')[0] ?? '');
  await accounts.signOut();
  await accounts.openSignIn();
  await accounts.fillSignIn(person.email, person.password);
  await accounts.expectSignedIn();
});

test('a wrong password is told, and says not which of the two was wrong', async ({ accounts, person, page, watch, accessible }) => {
  watch.expect(/status of 4\d\d/);
  await accounts.signOut();
  await accounts.openSignIn();
  await accounts.fillSignIn(person.email, 'four dry boats row 98');
  await expect(accounts.wrong).toBeVisible();
  await expect(page).toHaveURL(/\/sign-in/);
  await accessible();

  await accounts.openSignIn();
  await accounts.fillSignIn(somebody().email, person.password);
  await expect(accounts.wrong).toBeVisible();
});

test('a password that is easy to guess is refused with a reason', async ({ accounts, page, watch }) => {
  watch.expect(/status of 4\d\d/);
  await accounts.openSignUp();
  await accounts.fillSignUp({ ...somebody(), password: 'password1234' });
  await expect(page.getByText(/easy to guess/i).first()).toBeVisible();
  await expect(page).toHaveURL(/\/sign-up/);
});

test('a stranger is sent to sign in, and from there to where they wanted to go', async ({ accounts, person, page, hydrated }) => {
  await accounts.signOut();
  await page.goto('/sessions');
  await expect(page).toHaveURL(/\/sign-in/);
  await awake(page, hydrated);
  await accounts.fillSignIn(person.email, person.password);
  await expect(page).toHaveURL(/\/sessions$/);
});

import { expect, test } from '../fixtures.ts';
import { newPerson } from '../person.ts';

test('the form rates the password while it is typed', async ({ accounts, page }) => {
  const person = newPerson();
  await accounts.openSignUp();
  await accounts.email.fill(person.email);
  await accounts.name.fill(person.name);
  await accounts.password.fill('short');
  await expect(page.getByText(/7 more characters/)).toBeVisible();
  await accounts.password.fill('password1234');
  await expect(page.getByText(/commonly used password|easy to guess/i)).toBeVisible();
  await accounts.password.fill(person.password);
  await expect(page.locator('#password-hint')).toHaveText(/^(good|strong)$/i);
  const eye = page.getByRole('button', { name: 'Show password' });
  await eye.click();
  await expect(accounts.password).toHaveAttribute('type', 'text');
  await eye.click();
  await expect(accounts.password).toHaveAttribute('type', 'password');
});

test('a hint says that Caps Lock is on while a password is typed', async ({ accounts, page }) => {
  await accounts.openSignIn();
  const hint = page.getByText('Caps Lock is on.');
  await accounts.password.focus();
  await accounts.password.dispatchEvent('keydown', { key: 'A', modifierCapsLock: true });
  await expect(hint).toBeVisible();
  await accounts.password.dispatchEvent('keyup', { key: 'CapsLock' });
  await expect(hint).toHaveCount(0);
  await accounts.email.dispatchEvent('keydown', { key: 'A', modifierCapsLock: true });
  await expect(hint).toHaveCount(0);
});

test('the back button shows nothing private after signing out', async ({ accounts, chat, person, page }) => {
  expect(person.name).toBeTruthy();
  await chat.ask('a secret of mine');
  await expect(chat.answer).toContainText('You said: a secret of mine');
  await accounts.signOut();
  await page.goBack();
  await expect(page).toHaveURL(/\/sign-in/);
  await expect(page.getByText('a secret of mine')).toHaveCount(0);
});

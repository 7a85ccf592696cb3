import { expect, expectNoSidewaysScroll, test } from '../fixtures.ts';
import { AccountPages } from '../pages/account.ts';

test('a changed name appears on other pages', async ({ settings, person, page, expectAccessible }) => {
  await settings.open();
  await expectAccessible();
  await expectNoSidewaysScroll(page);
  expect(person.name).not.toBe('Countess Ada');
  await settings.rename('Countess Ada');
  await expect(settings.section('Name').getByRole('status')).toHaveText('Saved.');
  await expect(settings.auditEvents.first()).toContainText('Changed the name');
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Countess Ada');
});

test('the error of an invalid name is shown beside its field', async ({ settings, person, pageErrors }) => {
  pageErrors.allow(/status of 422/);
  expect(person.name).toBeTruthy();
  await settings.open();
  await settings.rename('Ada\u202Enimda');
  await expect(settings.section('Name').getByText('control or invisible characters')).toBeVisible();
});

test('a new password signs out the other devices', async ({ settings, person, browser, colloquy, hydrated, pageErrors }) => {
  pageErrors.allow(/status of 422/);
  const elsewhere = await browser.newContext({ baseURL: colloquy.url, javaScriptEnabled: hydrated });
  const other = await elsewhere.newPage();
  await new AccountPages(other, hydrated).signIn(person);
  await settings.open();
  await expect(settings.devices).toHaveCount(2);
  await settings.changePassword('not my password 1', 'six green lamps row 12');
  await expect(settings.section('Password').getByText('Wrong password.')).toBeVisible();
  await settings.changePassword(person.password, 'six green lamps row 12');
  await expect(settings.section('Password').getByRole('status')).toContainText('Password changed.');
  await expect(settings.devices).toHaveCount(1);
  await other.goto('/settings');
  await expect(other).toHaveURL(/\/sign-in/);
  await elsewhere.close();
});

test('one device is signed out, then all others', async ({ settings, person, browser, colloquy, hydrated }) => {
  const contexts = [];
  for (let i = 0; i < 3; i++) {
    const context = await browser.newContext({ baseURL: colloquy.url, javaScriptEnabled: hydrated });
    contexts.push(context);
    await new AccountPages(await context.newPage(), hydrated).signIn(person);
  }
  await settings.open();
  await expect(settings.devices).toHaveCount(4);
  await expect(settings.devices.filter({ hasText: 'This device' })).toHaveCount(1);
  await settings.devices.getByRole('button', { name: /^Sign out/ }).first().click();
  await expect(settings.devices).toHaveCount(3);
  await settings.section('Devices').getByRole('button', { name: 'Sign out all other devices' }).click();
  await expect(settings.devices).toHaveCount(1);
  for (const context of contexts) await context.close();
});

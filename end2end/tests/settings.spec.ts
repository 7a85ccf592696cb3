import type { Page } from '@playwright/test';
import { expect, expectNoSidewaysScroll, test } from '../fixtures.ts';
import { AccountPages } from '../pages/account.ts';
import { settingsPaths } from '../pages/settings.ts';
import { waitForHydration } from '../hydration.ts';

test('a changed name appears on other pages', async ({ settings, person, page, expectAccessible }) => {
  await settings.open();
  await expectAccessible();
  await expectNoSidewaysScroll(page);
  expect(person.name).not.toBe('Countess Ada');
  await settings.rename('Countess Ada');
  await expect(settings.section('Name').getByRole('status')).toHaveText('Saved.');
  await settings.open('security');
  await expect(settings.auditEvents.first()).toContainText('Changed the name');
  await expect(settings.section('Activity').getByRole('heading', { level: 3 })).toHaveText(['Today']);
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Countess');
});

test('the error of an invalid name is shown beside its field', async ({ settings, person, pageErrors, hydrated }) => {
  pageErrors.allow(/status of 422/);
  expect(person.name).toBeTruthy();
  await settings.open();
  await settings.rename('Ada\u202Enimda');
  const error = settings.section('Name').getByText('control or invisible characters');
  await expect(error).toBeVisible();
  if (!hydrated) return;
  // It is gone as soon as the name is corrected, and comes back if the name is still invalid.
  const field = settings.section('Name').getByLabel('Name', { exact: true });
  await expect(field).toHaveAttribute('aria-invalid', 'true');
  await field.press('End');
  await field.press('x');
  await expect(error).toHaveCount(0);
  await expect(field).not.toHaveAttribute('aria-invalid');
  await settings.section('Name').getByRole('button', { name: 'Save', exact: true }).click();
  await expect(error).toBeVisible();
});

test('a new password signs out the other devices', async ({ settings, person, browser, colloquy, hydrated, pageErrors }) => {
  pageErrors.allow(/status of 422/);
  const elsewhere = await browser.newContext({ baseURL: colloquy.url, javaScriptEnabled: hydrated });
  const other = await elsewhere.newPage();
  await new AccountPages(other, hydrated).signIn(person);
  await settings.open('security');
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
  await settings.open('security');
  await expect(settings.devices).toHaveCount(4);
  await expect(settings.devices.filter({ hasText: 'This device' })).toHaveCount(1);
  await settings.devices.getByRole('button', { name: /^Sign out/ }).first().click();
  await expect(settings.devices).toHaveCount(3);
  await settings.section('Devices').getByRole('button', { name: 'Sign out all other devices' }).click();
  await expect(settings.devices).toHaveCount(1);
  for (const context of contexts) await context.close();
});

/** Expects that the window itself does not scroll, and that nothing has pushed the application. */
async function expectNothingPushed(page: Page): Promise<void> {
  const root = await page.evaluate(() => {
    const { scrollHeight, scrollTop } = document.documentElement;
    const frame = document.querySelector('.frame')?.getBoundingClientRect().top;
    return { scrollHeight, scrollTop, frame, height: innerHeight };
  });
  expect(root).toEqual({ scrollHeight: root.height, scrollTop: 0, frame: 0, height: root.height });
}

test('no settings page and no link into one pushes the application', async ({ person, page, hydrated, expectAccessible }) => {
  expect(person.name).toBeTruthy();
  const anchors = { profile: ['locale'], appearance: ['enter'], security: ['password-section', 'devices', 'activity'], data: ['delete'] };
  for (const name of ['profile', 'appearance', 'security', 'data'] as const) {
    for (const path of [settingsPaths[name], ...anchors[name].map((anchor) => `${settingsPaths[name]}#${anchor}`)]) {
      await page.goto(path);
      await waitForHydration(page, hydrated);
      await expectNothingPushed(page);
      await expectNoSidewaysScroll(page);
    }
    await expect(page.getByRole('navigation', { name: 'Sections' }).locator('[aria-current=page]')).toHaveAttribute('href', settingsPaths[name]);
    await expectAccessible();
  }
});

test('a chosen theme applies, and is in the document from its first byte', async ({ settings, person, page, hydrated }) => {
  expect(person.name).toBeTruthy();
  await settings.open('appearance');
  const section = settings.section('Theme');
  const root = page.locator('html');
  await expect(section.getByRole('radio', { name: 'System' })).toBeChecked();
  await section.getByRole('radio', { name: 'Dark' }).check();
  if (hydrated) await expect(page.locator('[data-saved]')).toHaveText('Saved.');
  else await section.getByRole('button', { name: 'Save' }).click();
  await expect(root).toHaveAttribute('data-theme', 'dark');
  await expect(root).toHaveCSS('color-scheme', 'dark');
  const answer = await page.request.get('/settings/appearance');
  expect(await answer.text()).toMatch(/<html[^>]* data-theme="dark"/);
  await page.reload();
  await waitForHydration(page, hydrated);
  await expect(section.getByRole('radio', { name: 'Dark' })).toBeChecked();
  await page.goto('/privacy');
  await expect(root).toHaveAttribute('data-theme', 'dark');

  await settings.open('appearance');
  await section.getByRole('radio', { name: 'System' }).check();
  if (!hydrated) await section.getByRole('button', { name: 'Save' }).click();
  await expect(root).not.toHaveAttribute('data-theme');
});

test('a chosen text size changes the text of every page', async ({ settings, person, page, hydrated }) => {
  expect(person.name).toBeTruthy();
  await settings.open('appearance');
  const section = settings.section('Text size');
  await section.getByRole('radio', { name: 'Larger' }).check();
  if (!hydrated) await section.getByRole('button', { name: 'Save' }).click();
  await expect(page.locator('html')).toHaveCSS('font-size', '20px');
  await page.goto('/');
  await expect(page.locator('html')).toHaveCSS('font-size', '20px');
  await expectNoSidewaysScroll(page);
});

test('what was chosen in the menu right after signing in applies, also to the pages for visitors', async ({ accounts, person, page, hydrated }) => {
  await accounts.signOut();
  // With scripts, the document of the sign-in page stays.
  await accounts.signIn(person);
  if (!(await accounts.openMenu())) await page.goto('/settings/appearance');
  const themes = page.getByRole('radiogroup', { name: 'Theme' }).filter({ visible: true });
  await themes.getByRole('radio', { name: 'Dark' }).check();
  if (!hydrated) await page.locator('form').filter({ has: themes }).getByRole('button', { name: 'Save' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.goto('/');
  await accounts.expectSignedIn();
  await accounts.signOut();
  const answer = await page.request.get('/sign-in');
  expect(await answer.text()).toMatch(/<html[^>]* data-theme="dark"/);
});

test('a new time zone applies without loading a page', async ({ settings, person, page }) => {
  expect(person.name).toBeTruthy();
  await settings.open('security');
  // The exact time, which is shown on hover.
  const lastUsed = settings.devices.first().locator('time').first();
  const inBerlin = (await lastUsed.getAttribute('title')) ?? '';
  await settings.open();
  await settings.choose('Language and time', 'Time zone', 'Asia/Tokyo');
  await expect(settings.section('Language and time').getByRole('status')).toHaveText('Saved.');
  await page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name: 'Security' }).click();
  await expect(lastUsed).toHaveAttribute('title', /:/);
  await expect(lastUsed).not.toHaveAttribute('title', inBerlin);
});

test('the enrolment of an authenticator app is cancelled beside its other button', async ({ settings, person }) => {
  expect(person.name).toBeTruthy();
  await settings.open('security');
  const section = settings.section('Two-step verification');
  await section.getByRole('button', { name: 'Add authenticator app' }).click();
  const [confirm, cancel] = await Promise.all(['Turn on', 'Cancel'].map((name) => section.getByRole('button', { name }).boundingBox()));
  expect(confirm?.y).toBe(cancel?.y);
  await section.getByRole('button', { name: 'Cancel' }).click();
  await expect(section.getByRole('button', { name: 'Add authenticator app' })).toBeVisible();
});

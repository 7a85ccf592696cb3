import { expect, expectNoSidewaysScroll, test } from '../fixtures.ts';
import { AccountPages } from '../pages/account.ts';
import { newPerson } from '../person.ts';

test('users can download their data as a file', async ({ person, settings, chat, page, expectAccessible }) => {
  expect(person.name).toBeTruthy();
  await chat.openNew();
  await chat.ask('echo remember the milk');
  await settings.open('data');
  const section = settings.section('Export your data');
  await section.getByRole('button', { name: 'Prepare download' }).click();
  const link = section.getByRole('link', { name: 'Download', exact: true });
  // Without scripts the user has to reload the page.
  await expect(async () => {
    if (!(await link.isVisible())) await page.reload();
    await expect(link).toBeVisible({ timeout: 2_500 });
  }).toPass();
  await expectAccessible();
  const file = page.waitForEvent('download');
  await link.click();
  expect((await file).suggestedFilename()).toBe('colloquy-data.zip');
});

test('the deletion of an account can be cancelled', async ({ accounts, settings, page, expectAccessible, pageErrors, browser, colloquy, hydrated }) => {
  // The first account, because the last administrator cannot be deleted.
  const first = await browser.newContext({ baseURL: colloquy.url, javaScriptEnabled: hydrated });
  await new AccountPages(await first.newPage(), hydrated).signUp(newPerson());
  await first.close();
  const person = newPerson();
  await accounts.signUp(person);
  pageErrors.allow(/status of 422/);
  await settings.open('data');
  const section = await settings.edit('Delete account');
  await section.getByRole('textbox').fill('somebody@example.org');
  await section.getByRole('button', { name: 'Delete my account' }).click();
  await expect(section.getByText("That's not your email.").last()).toBeVisible();
  await settings.edit('Delete account');
  await section.getByRole('textbox').fill(person.email);
  await section.getByRole('button', { name: 'Delete my account' }).click();
  await expect(section.getByRole('status')).toContainText('will be deleted');
  await page.goto('/sessions');
  await expectAccessible();
  await expectNoSidewaysScroll(page);
  await page.getByRole('button', { name: 'Cancel deletion' }).click();
  await expect(page.getByRole('button', { name: 'Cancel deletion' })).toHaveCount(0);
});

test('chats can be deleted after a chosen time', async ({ person, settings, expectAccessible }) => {
  expect(person.name).toBeTruthy();
  await settings.open('data');
  const section = settings.section('Automatic deletion');
  await settings.choose('Automatic deletion', 'Delete after', '90 days');
  await expect(section.getByRole('status')).toContainText('Saved.');
  await expect(section.getByText('Old chats will be deleted from')).toBeVisible();
  await settings.open('data');
  await expect(section.getByLabel('Delete after')).toHaveValue('90');
  await expectAccessible();
});

test('anonymous users can read the legal pages', async ({ page, expectAccessible }) => {
  await page.goto('/sign-in');
  for (const name of ['Privacy', 'Terms']) {
    await page.goto('/sign-in').catch(() => page.goto('/sign-up'));
    await page.getByRole('link', { name }).click();
    await expect(page.getByRole('heading', { level: 1 })).toContainText(name);
    await expectAccessible();
    await expectNoSidewaysScroll(page);
  }
});

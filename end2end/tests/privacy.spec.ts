import { expect, expectNoSidewaysScroll, test } from '../fixtures.ts';
import { AccountPages } from '../pages/account.ts';
import { somebody } from '../person.ts';

test('all of one’s data comes as a file', async ({ person, settings, chat, page, accessible }) => {
  expect(person.name).toBeTruthy();
  await chat.openNew();
  await chat.ask('echo remember the milk');
  await settings.open();
  const section = settings.section('Your data');
  await section.getByRole('button', { name: 'Put my data together' }).click();
  const link = section.getByRole('link', { name: 'Download the file' });
  // Without scripts one looks again oneself.
  await expect(async () => {
    if (!(await link.isVisible())) await page.reload();
    await expect(link).toBeVisible({ timeout: 2_500 });
  }).toPass();
  await accessible();
  const file = page.waitForEvent('download');
  await link.click();
  expect((await file).suggestedFilename()).toBe('colloquy-data.zip');
});

test('an account that is to be deleted can be kept', async ({ accounts, settings, page, accessible, watch, browser, colloquy, hydrated }) => {
  // The last administrator could not be deleted.
  const first = await browser.newContext({ baseURL: colloquy.url, javaScriptEnabled: hydrated });
  await new AccountPages(await first.newPage(), hydrated).signUp(somebody());
  await first.close();
  const person = somebody();
  await accounts.signUp(person);
  watch.expect(/status of 422/);
  await settings.open();
  const section = settings.section('Delete account');
  await section.getByRole('textbox').fill('somebody@example.org');
  await section.getByRole('button', { name: 'Delete my account' }).click();
  await expect(section.getByText(/address/).last()).toBeVisible();
  await section.getByRole('textbox').fill(person.email);
  await section.getByRole('button', { name: 'Delete my account' }).click();
  await expect(section.getByRole('status')).toContainText('will be deleted');
  await page.goto('/sessions');
  await accessible();
  await expectNoSidewaysScroll(page);
  await page.getByRole('button', { name: 'Keep my account' }).click();
  await expect(page.getByRole('button', { name: 'Keep my account' })).toHaveCount(0);
});

test('chats can be kept for a while only', async ({ person, settings, accessible }) => {
  expect(person.name).toBeTruthy();
  await settings.open();
  const section = settings.section('Keeping chats');
  await section.getByLabel('Delete my chats').selectOption('90 days after their last message');
  await section.getByRole('button', { name: 'Save' }).click();
  await expect(section.getByRole('status')).toContainText('Saved.');
  await expect(section.getByText('Chats of that age are deleted from')).toBeVisible();
  await settings.open();
  await expect(section.getByLabel('Delete my chats')).toHaveValue('90');
  await accessible();
});

test('the legal pages are there for strangers', async ({ page, accessible }) => {
  await page.goto('/sign-in');
  for (const name of ['Privacy', 'Terms']) {
    await page.goto('/sign-in').catch(() => page.goto('/sign-up'));
    await page.getByRole('link', { name }).click();
    await expect(page.getByRole('heading', { level: 1 })).toContainText(name);
    await accessible();
    await expectNoSidewaysScroll(page);
  }
});

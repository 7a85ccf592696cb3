// A lost connection, and answers that cannot be read.
import { expect, test } from '../fixtures.ts';
import { seedChats } from '../seed.ts';

const OFFLINE = "You're offline.";

test.beforeEach(({ pageErrors }) => pageErrors.allow(/Failed to load resource|ERR_/));

test('offline: a bar says so, and a chat that is clicked opens when the connection is back', async ({ sessions, person, colloquy, context, page }) => {
  const [path] = seedChats(colloquy, person.email, [{ title: 'Plan the garden', messages: 2 }]);
  await sessions.open();
  await expect(page.getByText(OFFLINE)).toBeHidden();
  await context.setOffline(true);
  await expect(page.getByText(OFFLINE)).toBeVisible();
  await sessions.row('Plan the garden').getByRole('link').click();
  // Nothing happens, for longer than a page takes to change.
  await page.waitForTimeout(500);
  await expect(page).toHaveURL(/\/sessions$/);
  await expect(sessions.row('Plan the garden')).toBeVisible();
  await context.setOffline(false);
  await expect(page).toHaveURL(new RegExp(`${path}$`));
  await expect(page.getByText('Message 2 of 2.')).toBeVisible();
  await expect(page.getByText(OFFLINE)).toBeHidden();
});

test('offline: what could not be loaded is loaded when the connection is back', async ({ sessions, person, colloquy, context, page }) => {
  seedChats(colloquy, person.email, ['Plan the garden', 'Fix the roof'].map((title) => ({ title, messages: 2 })));
  await sessions.open();
  await context.setOffline(true);
  await sessions.searchFor('roof');
  await expect(page.getByRole('heading', { name: 'No connection' })).toBeVisible();
  await context.setOffline(false);
  await expect(sessions.rows).toHaveCount(1);
  await expect(page.getByRole('heading', { name: 'No connection' })).toHaveCount(0);
});

test('a part of the application that cannot be loaded is replaced by the whole page', async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  await chat.openNew();
  // It is tried twice: before the page changes, and when it is shown.
  await page.route('**/admin.txt', (route) => route.abort(), { times: 2 });
  await page.evaluate(() => document.documentElement.setAttribute('data-before', ''));
  await page.locator('a[href="/settings"]').first().evaluate((link: HTMLElement) => link.click());
  await expect(page.locator('html')).not.toHaveAttribute('data-before');
  await expect(page).toHaveURL(/\/settings$/);
  await expect(page.getByRole('heading', { name: 'Name', exact: true })).toBeVisible();
});

test('an answer that cannot be read is not blamed on the request', async ({ sessions, person, colloquy, page }) => {
  seedChats(colloquy, person.email, ['Plan the garden', 'Fix the roof'].map((title) => ({ title, messages: 2 })));
  await sessions.open();
  await page.route('**/api/list_chats', (route) => route.fulfill({ status: 500, contentType: 'application/json', body: '{}' }));
  await sessions.searchFor('roof');
  await expect(page.getByText("The server's answer couldn't be read. Try again.")).toBeVisible();
  await page.unroute('**/api/list_chats');
  await page.getByRole('link', { name: 'Try again' }).click();
  await expect(sessions.rows).toHaveCount(1);
});

test.describe('a server that stops', () => {
  test.use({ serverSettings: {} });

  test('the bar says that the server is away, and the page loads when it is back', async ({ sessions, person, colloquy, page }) => {
    seedChats(colloquy, person.email, ['Plan the garden', 'Fix the roof'].map((title) => ({ title, messages: 2 })));
    await sessions.open();
    await colloquy.stop();
    await sessions.searchFor('roof');
    const bar = page.getByText("Can't reach the server. Trying again…");
    await expect(bar).toBeVisible();
    await colloquy.launch();
    await expect(sessions.rows).toHaveCount(1);
    await expect(bar).toBeHidden();
  });
});

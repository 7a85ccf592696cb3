import { expect, test } from '../fixtures.ts';
import { seedChats } from '../seed.ts';

const titles = ['Plan the garden', 'Fix the roof', 'Bread for Sunday'];

test.beforeEach(async ({ person, colloquy, sessions }) => {
  seedChats(colloquy, person.email, titles.map((title) => ({ title, messages: 2 })));
  await sessions.open();
});

test('the newest chats come first, each with a preview', async ({ sessions, expectAccessible }) => {
  await expect(sessions.rows).toHaveCount(3);
  await expect(sessions.rows.first()).toContainText('Plan the garden');
  await expect(sessions.rows.first()).toContainText('Message 2');
  await expectAccessible();
});

test('search matches titles literally', async ({ sessions, page }) => {
  await sessions.searchFor('ROOF');
  await expect(sessions.rows).toHaveCount(1);
  await expect(sessions.row('Fix the roof')).toBeVisible();
  await sessions.searchFor('%');
  await expect(sessions.rows).toHaveCount(0);
  await expect(page.getByRole('main')).toContainText('No chats match');
});

test('pin, unpin', async ({ sessions }) => {
  await sessions.choose('Bread for Sunday', 'Pin');
  await expect(sessions.rows.first()).toContainText('Bread for Sunday');
  await sessions.show('Pinned');
  await expect(sessions.rows).toHaveCount(1);
  await sessions.choose('Bread for Sunday', 'Unpin');
  await expect(sessions.rows).toHaveCount(0);
});

test('rename', async ({ sessions, page }) => {
  await sessions.rename('Fix the roof', 'Fix the whole roof');
  await expect(sessions.row('Fix the whole roof')).toBeVisible();
  await page.reload();
  await expect(sessions.row('Fix the whole roof')).toBeVisible();
});

test('archive and unarchive', async ({ sessions }) => {
  await sessions.choose('Fix the roof', 'Archive');
  await expect(sessions.rows).toHaveCount(2);
  await sessions.show('Archived');
  await expect(sessions.rows).toHaveCount(1);
  await sessions.choose('Fix the roof', 'Unarchive');
  await expect(sessions.rows).toHaveCount(0);
  await sessions.show('All');
  await expect(sessions.rows).toHaveCount(3);
});

test('delete, with undo', async ({ sessions, page }) => {
  await sessions.choose('Fix the roof', 'Delete chat');
  await expect(sessions.row('Fix the roof')).toHaveCount(0);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(sessions.row('Fix the roof')).toBeVisible();
  await sessions.choose('Plan the garden', 'Delete chat');
  await expect(sessions.row('Plan the garden')).toHaveCount(0);
  await sessions.open();
  await expect(sessions.rows).toHaveCount(2);
});

test('a long list of chats is paginated', async ({ sessions, person, colloquy, page, hydrated }) => {
  seedChats(colloquy, person.email, Array.from({ length: 120 }, (_, i) => ({ title: `Number ${i + 1}`, messages: 2 })));
  await sessions.open();
  await expect(sessions.rows).toHaveCount(50);
  const more = page.getByRole('link', { name: 'Load more' });
  await more.click();
  // Including the three chats of every test. Scripts append to the list; without them each page is separate.
  await expect(sessions.rows).toHaveCount(hydrated ? 100 : 50);
  await expect(sessions.row('Number 70')).toHaveCount(1);
  await more.click();
  await expect(sessions.rows).toHaveCount(hydrated ? 123 : 23);
  await expect(sessions.row('Number 120')).toHaveCount(1);
  await expect(more).toHaveCount(0);
});

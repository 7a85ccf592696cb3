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

test('matches of a search are marked, and the search can be cleared', async ({ sessions, page }) => {
  await sessions.searchFor('ROOF');
  await expect(sessions.rows.locator('mark')).toHaveText(['roof']);
  await page.getByRole('search').getByRole('link', { name: 'Clear search' }).click();
  await expect(sessions.rows).toHaveCount(3);
  await expect(sessions.search).toHaveValue('');
});

for (const width of [360, 1440]) {
  test(`all rows have one height at ${width} pixels`, async ({ sessions, person, colloquy, page, isMobile }) => {
    const chats = ['x'.repeat(118), 'word '.repeat(20), 'محادثة عن الطقس'].map((title) => ({ title, messages: 2 }));
    seedChats(colloquy, person.email, chats);
    await page.setViewportSize({ width, height: 800 });
    await sessions.open();
    await expect(sessions.rows).toHaveCount(6);
    const rows = await sessions.rows.evaluateAll((rows) =>
      rows.map((row) => {
        const link = row.querySelector('a')!;
        const lines = [...link.children].map((line) => line.getBoundingClientRect().height);
        return { height: row.getBoundingClientRect().height, lines, overflows: link.scrollHeight > link.clientHeight };
      }),
    );
    for (const row of rows) expect(row).toEqual({ height: isMobile ? 64 : 60, lines: rows[0]!.lines, overflows: false });
  });
}

test('the actions on selected chats take the place of the search', async ({ sessions, page, expectAccessible }) => {
  const top = async () => (await page.getByRole('navigation', { name: 'Filter chats' }).boundingBox())?.y;
  const before = await top();
  await sessions.select('Fix the roof');
  await sessions.select('Bread for Sunday');
  await expect(sessions.search).toBeHidden();
  expect(await top()).toBe(before);
  await expectAccessible();
  await sessions.actions.getByRole('button', { name: 'Archive', exact: true }).click();
  await expect(sessions.rows).toHaveCount(1);
  await sessions.select('Plan the garden');
  await sessions.actions.getByRole('button', { name: 'Clear selection' }).click();
  await expect(sessions.actions).toBeHidden();
  await expect(sessions.search).toBeVisible();
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

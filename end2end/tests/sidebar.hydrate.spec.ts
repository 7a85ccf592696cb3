// The sidebar, the search over all pages, and the keyboard shortcuts.
import type { Locator, Page } from '@playwright/test';
import { expect, test } from '../fixtures.ts';
import { seedChats } from '../seed.ts';

/** The sidebar; on phones the drawer, which is opened. */
async function openSidebar(page: Page): Promise<Locator> {
  if ((page.viewportSize()?.width ?? 0) >= 1024) return page.locator('.frame > .sidebar');
  const drawer = page.getByRole('dialog', { name: 'Chats' });
  if (!(await drawer.isVisible())) await page.getByRole('button', { name: 'Open sidebar' }).click();
  return drawer;
}

const titles = ['Fix the roof', 'Bake bread', 'Learn Danish'];

test.beforeEach(async ({ person, colloquy, chat }) => {
  seedChats(colloquy, person.email, titles.map((title) => ({ title, messages: 2 })));
  await chat.openNew();
});

test('a chat is renamed in its row, and Escape leaves it as it was', async ({ page, expectAccessible }) => {
  const sidebar = await openSidebar(page);
  const row = sidebar.getByRole('listitem').filter({ hasText: 'Fix the roof' });
  await row.getByRole('link').focus();
  await row.getByLabel(/^Actions for/).click();
  await expectAccessible();
  await row.getByRole('button', { name: 'Rename' }).click();
  const field = sidebar.getByRole('textbox', { name: 'Title' });
  await expect(field).toBeFocused();
  await field.fill('Nothing of the kind');
  await field.press('Escape');
  await expect(sidebar.getByRole('link', { name: 'Fix the roof' })).toBeFocused();
  await row.getByLabel(/^Actions for/).click();
  await row.getByRole('button', { name: 'Rename' }).click();
  await field.fill('Fix the whole roof');
  await field.press('Enter');
  // The row is made anew with its title, and keeps the focus.
  await expect(sidebar.getByRole('link', { name: 'Fix the whole roof' })).toBeFocused();
});

test('the title of the open chat is renamed in the header, and the focus stays there', async ({ page, isMobile }) => {
  await (await openSidebar(page)).getByRole('link', { name: 'Fix the roof' }).click();
  const heading = page.getByRole('heading', { name: 'Fix the roof', level: 1 });
  await expect(heading).toBeVisible();
  if (isMobile) {
    await page.locator('.topbar .menu > summary').click();
    await page.locator('.topbar').getByRole('button', { name: 'Rename' }).click();
  } else {
    await heading.dblclick();
  }
  await page.getByRole('textbox', { name: 'Title' }).fill('Fix the whole roof');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Fix the whole roof', level: 1 })).toBeVisible();
  await expect(page.locator('.topbar .menu > summary')).toBeFocused();
});

test('the pinned chats can be folded, which the next page remembers', async ({ page }) => {
  const sidebar = await openSidebar(page);
  const row = sidebar.getByRole('listitem').filter({ hasText: 'Fix the roof' });
  await row.getByRole('link').focus();
  await row.getByLabel(/^Actions for/).click();
  await row.getByRole('button', { name: 'Pin' }).click();
  await expect(sidebar.getByRole('list', { name: 'Pinned' }).getByRole('link', { name: 'Fix the roof' })).toBeVisible();
  await sidebar.getByText('Pinned', { exact: true }).click();
  await expect(sidebar.getByRole('link', { name: 'Fix the roof' })).toBeHidden();
  await page.reload();
  const again = await openSidebar(page);
  await expect(again.getByRole('link', { name: 'Bake bread' })).toBeVisible();
  await expect(again.getByRole('link', { name: 'Fix the roof' })).toBeHidden();
  await again.getByText('Pinned', { exact: true }).click();
  await expect(again.getByRole('link', { name: 'Fix the roof' })).toBeVisible();
});

test('the menu of a row opens with the context menu and its arrow keys move', async ({ page, isMobile }) => {
  const sidebar = await openSidebar(page);
  const row = sidebar.getByRole('listitem').filter({ hasText: 'Bake bread' });
  await row.getByRole('link').focus();
  if (isMobile) await row.getByLabel(/^Actions for/).click();
  else await row.getByRole('link').click({ button: 'right' });
  await expect(row.getByRole('button', { name: 'Pin' })).toBeVisible();
  await row.getByRole('button', { name: 'Rename' }).focus();
  await page.keyboard.press('ArrowDown');
  await expect(row.getByRole('button', { name: 'Pin' })).toBeFocused();
  await page.keyboard.press('End');
  await expect(row.getByRole('button', { name: 'Delete' })).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(row.getByRole('button', { name: 'Rename' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(row.getByRole('button', { name: 'Pin' })).toHaveCount(0);
});

test('search finds chats and pages, and Enter opens the chosen one', async ({ page, expectAccessible }) => {
  await page.keyboard.press('Control+k');
  const search = page.getByRole('dialog', { name: 'Search chats' });
  const field = search.getByRole('combobox');
  await expect(field).toBeFocused();
  await field.fill('danish');
  await expect(search.getByRole('option')).toHaveText(['Learn Danish', 'Search all chats for “danish”']);
  await expectAccessible();
  await field.fill('no such chat');
  await expect(search.getByText('No chats found.')).toBeVisible();
  await expect(search.getByRole('option', { name: 'Search all chats' })).toHaveAttribute('href', '/sessions?q=no%20such%20chat');
  await field.fill('');
  await field.press('ArrowDown');
  await expect(search.getByRole('option').nth(1)).toHaveAttribute('aria-selected', 'true');
  await field.press('ArrowUp');
  await field.press('Enter');
  await expect(page).toHaveURL(/\/chats\//);
  await expect(search).toBeHidden();
});

test('shortcuts: the list of them, a new chat, the composer', async ({ chat, page, expectAccessible }) => {
  await page.keyboard.press('Control+/');
  const sheet = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await expect(sheet).toBeVisible();
  await expectAccessible();
  await page.keyboard.press('Escape');
  await expect(sheet).toBeHidden();
  await chat.ask('one');
  await expect(chat.retry).toBeVisible();
  await chat.composer.blur();
  await page.keyboard.press('/');
  await expect(chat.composer).toBeFocused();
  await page.keyboard.press('Alt+ArrowUp');
  await expect(chat.answer).toBeFocused();
  await page.keyboard.press('Alt+ArrowUp');
  await expect(chat.questions.last()).toBeFocused();
  await page.keyboard.press('Control+Shift+O');
  await expect(page).toHaveURL(/\/$/);
});

test('the page that a link opens is announced', async ({ page }) => {
  const sidebar = await openSidebar(page);
  await sidebar.getByRole('link', { name: 'Bake bread' }).click();
  await expect(page.locator('[data-page-title]')).toHaveText(/Bake bread/);
  const active = await page.evaluate(() => document.activeElement?.tagName);
  expect(active).not.toBe('BODY');
});

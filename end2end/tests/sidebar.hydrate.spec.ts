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
  await expect(sidebar.getByRole('link', { name: 'Fix the whole roof' })).toBeVisible();
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
  await expect(search.getByRole('option')).toHaveText(['Learn Danish']);
  await expectAccessible();
  await field.fill('no such chat');
  await expect(search.getByText('No chats found.')).toBeVisible();
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

import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures.ts';
import { seedChats } from '../seed.ts';

const TITLES = ['Bread for Sunday', 'Fix the roof before winter', 'A letter to the landlord', 'Names for a small boat', 'How tides work'];

/** Takes a picture without a cursor in a field. */
async function take(page: Page, name: string): Promise<void> {
  await page.mouse.move(0, 0);
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.waitForTimeout(300);
  await page.screenshot({ path: `../docs/${name}.png` });
}

test('the screenshots of a chat, a new chat and the settings', async ({ chat, person, colloquy, page }) => {
  seedChats(colloquy, person.email, TITLES.map((title) => ({ title, messages: 2 })));
  await chat.openNew();
  await take(page, 'screenshot-new-chat');
  await chat.ask('How far does a ball fall in three seconds?');
  await expect(chat.answer.getByRole('table')).toBeVisible();
  await expect(chat.send).toBeVisible();
  await take(page, 'screenshot');
  await page.goto('/settings/appearance');
  await take(page, 'screenshot-settings');
});

test.describe('dark', () => {
  test.use({ colorScheme: 'dark' });

  test('the screenshot of a dark chat', async ({ chat, person, colloquy, page }) => {
    seedChats(colloquy, person.email, TITLES.map((title) => ({ title, messages: 2 })));
    await chat.openNew();
    await chat.ask('markdown please');
    await expect(chat.retry).toBeVisible();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('b');
    await page.waitForTimeout(600);
    await page.screenshot({ path: '../docs/screenshot-search.png' });
  });
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('the screenshot of a phone', async ({ chat, person, page }) => {
    expect(person.email).toBeTruthy();
    await chat.ask('How far does a ball fall in three seconds?');
    await expect(chat.answer.getByRole('table')).toBeVisible();
    await expect(chat.send).toBeVisible();
    await take(page, 'screenshot-phone');
  });
});

import { expect, test } from '../fixtures.ts';
import { seedChats } from '../seed.ts';

const TITLES = ['Bread for Sunday', 'Fix the roof before winter', 'A letter to the landlord', 'Names for a small boat', 'How tides work'];

test('the screenshot in the README', async ({ chat, person, colloquy, page }) => {
  seedChats(colloquy, person.email, TITLES.map((title) => ({ title, messages: 2 })));
  await chat.openNew();
  await chat.ask('How far does a ball fall in three seconds?');
  await expect(chat.answer.getByRole('table')).toBeVisible();
  await expect(chat.send).toBeVisible();
  await page.mouse.move(0, 0);
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.screenshot({ path: '../docs/screenshot.png' });
});

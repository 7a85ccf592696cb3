// Menus that render their actions only while they are open.
import { expect, test } from '../fixtures.ts';
import { seedChats } from '../seed.ts';

test('menus: one that is opened before the scripts run gets its actions, and Escape closes it', async ({ sessions, person, colloquy, page }) => {
  seedChats(colloquy, person.email, [{ title: 'Fix the roof', messages: 2 }]);
  let release = () => {};
  const released = new Promise<void>((resolve) => { release = resolve; });
  await page.route('**/*.wasm', async (route) => {
    await released;
    await route.continue();
  });
  await page.goto('/sessions', { waitUntil: 'commit' });
  const row = sessions.row('Fix the roof');
  await row.getByLabel(/^Actions for/).click();
  release();
  await expect(row.getByRole('button', { name: 'Archive' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(row.getByRole('button', { name: 'Archive' })).toHaveCount(0);
  await expect(row.getByLabel(/^Actions for/)).toBeFocused();
});

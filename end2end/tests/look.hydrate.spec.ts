// Pictures of the main pages, so that a change of their look is noticed. To take them again after a change that is wanted:
// scripts/test browser look --update-snapshots
import { expect, test } from '../fixtures.ts';

// One font that every machine with Chromium has, and no blinking or moving parts.
const STILL = { style: '* { font-family: "DejaVu Sans", sans-serif !important; caret-color: transparent !important; animation: none !important }' };
const TOLERANCE = { maxDiffPixelRatio: 0.05, animations: 'disabled', ...STILL } as const;

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme, bypassCSP: true });

    test(`the main pages look as before, ${colorScheme}`, async ({ accounts, chat, person, page }) => {
      expect(person.email).toBeTruthy();
      await chat.ask('markdown please');
      await expect(chat.retry).toBeVisible();
      await page.mouse.move(0, 0);
      await expect(page.locator('.main')).toHaveScreenshot(`chat-${colorScheme}.png`, TOLERANCE);
      await page.goto('/settings/appearance');
      await expect(page.locator('.main')).toHaveScreenshot(`appearance-${colorScheme}.png`, TOLERANCE);
      await accounts.signOut();
      await page.goto('/sign-in');
      await expect(page).toHaveScreenshot(`sign-in-${colorScheme}.png`, TOLERANCE);
    });
  });
}

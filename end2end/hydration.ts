import { type Page, expect } from '@playwright/test';

/** Waits until the page is hydrated. Does nothing if scripts are off. */
export async function waitForHydration(page: Page, hydrated: boolean): Promise<void> {
  if (!hydrated) return;
  // Visitors who are not signed in get the scripts at their first interaction.
  await page.mouse.move(1, 1);
  await page.mouse.move(2, 2);
  await expect(page.locator('html')).toHaveAttribute('data-hydrated', /.*/);
}

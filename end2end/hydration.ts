import { type Page, expect } from '@playwright/test';

/** Waits until the page is hydrated. Does nothing if scripts are off. */
export async function waitForHydration(page: Page, hydrated: boolean): Promise<void> {
  if (hydrated) await expect(page.locator('html')).toHaveAttribute('data-hydrated', /.*/);
}

import { type Page, expect } from '@playwright/test';

/** Waits until the scripts of the page have taken over, where they run at all. */
export async function awake(page: Page, hydrated: boolean): Promise<void> {
  if (hydrated) await expect(page.locator('html')).toHaveAttribute('data-hydrated', /.*/);
}

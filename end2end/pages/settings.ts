import { type Locator, type Page, expect } from '@playwright/test';
import { waitForHydration } from '../hydration.ts';

/** The settings page of the user's own account. */
export class SettingsPage {
  constructor(
    readonly page: Page,
    readonly hydrated: boolean,
  ) {}

  async open(): Promise<void> {
    await this.page.goto('/settings');
    await waitForHydration(this.page, this.hydrated);
  }

  section(title: string): Locator {
    return this.page.getByRole('region', { name: title, exact: true });
  }

  get devices(): Locator {
    return this.section('Devices').getByRole('listitem');
  }

  get auditEvents(): Locator {
    return this.section('Activity').getByRole('listitem');
  }

  async rename(name: string): Promise<void> {
    const section = this.section('Name');
    await section.getByLabel('Name', { exact: true }).fill(name);
    await section.getByRole('button', { name: 'Save', exact: true }).click();
  }

  async changePassword(current: string, next: string): Promise<void> {
    const section = this.section('Password');
    await section.getByLabel('Current password').fill(current);
    await section.getByLabel('New password').fill(next);
    await section.getByRole('button', { name: 'Change password' }).click();
    await expect(section.getByRole('button', { name: 'Change password' })).toHaveAttribute('aria-busy', 'false');
  }
}

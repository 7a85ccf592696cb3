import { type Locator, type Page, expect } from '@playwright/test';
import { waitForHydration } from '../hydration.ts';

/** The paths of the settings pages. */
export const settingsPaths = { profile: '/settings', appearance: '/settings/appearance', security: '/settings/security', data: '/settings/data' } as const;

/** The settings pages of the user's own account. */
export class SettingsPage {
  constructor(
    readonly page: Page,
    readonly hydrated: boolean,
  ) {}

  async open(name: keyof typeof settingsPaths = 'profile'): Promise<void> {
    await this.page.goto(settingsPaths[name]);
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

  /** Opens the form of a section, unless it is open. */
  async edit(title: string): Promise<Locator> {
    const section = this.section(title);
    if ((await section.locator('details[open]').count()) === 0) await section.locator('summary').click();
    await expect(section.locator('details[open]')).toHaveCount(1);
    return section;
  }

  /** Chooses an option, which is saved at once with scripts, and with the button without. */
  async choose(title: string, label: string, option: string | { label: string }): Promise<void> {
    const section = this.section(title);
    await section.getByLabel(label).selectOption(option);
    if (!this.hydrated) await section.getByRole('button').click();
  }

  async rename(name: string): Promise<void> {
    const section = await this.edit('Name');
    await section.getByLabel('Name', { exact: true }).fill(name);
    await section.getByRole('button', { name: 'Save', exact: true }).click();
  }

  async changePassword(current: string, next: string): Promise<void> {
    const section = await this.edit('Password');
    await section.getByLabel('Current password').fill(current);
    await section.getByLabel('New password').fill(next);
    await section.getByRole('button', { name: 'Change password' }).click();
  }
}

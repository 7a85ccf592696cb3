import { type Locator, type Page, expect } from '@playwright/test';
import { waitForHydration } from '../hydration.ts';

/** The page with the list of all chats. */
export class SessionsPage {
  readonly search: Locator;
  /** The bar with the actions on the selected chats. */
  readonly actions: Locator;

  constructor(
    readonly page: Page,
    readonly hydrated: boolean,
  ) {
    this.search = page.getByRole('searchbox', { name: 'Search chat titles' });
    this.actions = page.getByRole('main').locator('form.selection');
  }

  async open(): Promise<void> {
    await this.page.goto('/sessions');
    await waitForHydration(this.page, this.hydrated);
  }

  get rows(): Locator {
    return this.page.getByRole('main').locator('li.session');
  }

  row(title: string): Locator {
    return this.rows.filter({ hasText: title });
  }

  /** Opens a tab. */
  async show(tab: 'All' | 'Pinned' | 'Archived'): Promise<void> {
    await this.page.getByRole('main').getByRole('link', { name: tab, exact: true }).click();
    await expect(this.page).toHaveURL(tab === 'All' ? /\/sessions(\?|$)/ : new RegExp(`filter=${tab.toLowerCase()}`));
  }

  async searchFor(words: string): Promise<void> {
    await this.search.fill(words);
    if (!this.hydrated) await this.search.press('Enter');
    await expect(this.page).toHaveURL(new RegExp(`q=${encodeURIComponent(words)}`, 'i'));
  }

  /** Renames a chat in the menu of its row; without scripts, in the menu of the chat's own page. */
  async rename(title: string, next: string): Promise<void> {
    const row = this.row(title);
    if (!this.hydrated) await row.getByRole('link').click();
    const place = this.hydrated ? row : this.page.getByRole('main');
    await place.getByLabel(/^Actions for/).click();
    await place.getByText('Rename').filter({ visible: true }).click();
    const field = place.getByRole('textbox', { name: 'Title' }).filter({ visible: true });
    await field.fill(next);
    await field.press('Enter');
    if (!this.hydrated) await this.open();
  }

  /** Selects a chat. On touch screens the check boxes appear after "Select". */
  async select(title: string): Promise<void> {
    const start = this.page.getByRole('main').locator('.select-button');
    if ((await start.isVisible()) && !(await this.actions.isVisible())) await start.click();
    await this.row(title).locator('.session-check').click();
    await expect(this.row(title).getByRole('checkbox')).toBeChecked();
  }

  /** Chooses an action in the menu of a row; without scripts, selects the row and uses the buttons above the list. */
  async choose(title: string, action: string): Promise<void> {
    const row = this.row(title);
    if (!this.hydrated) {
      await this.select(title);
      await this.actions.getByRole('button', { name: action.replace(' chat', ''), exact: true }).click();
      return;
    }
    await row.getByLabel(/^Actions for/).click();
    await row.getByRole('button', { name: action, exact: true }).click();
  }
}

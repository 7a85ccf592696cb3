import { type Locator, type Page, expect } from '@playwright/test';
import { waitForHydration } from '../hydration.ts';
import type { Person } from '../person.ts';

/** The sign-up and sign-in pages, and signing out. */
export class AccountPages {
  readonly email: Locator;
  readonly name: Locator;
  readonly password: Locator;
  readonly wrongCredentials: Locator;

  constructor(
    readonly page: Page,
    readonly hydrated: boolean,
  ) {
    this.email = page.getByLabel('Email');
    this.name = page.getByLabel('Name', { exact: true });
    this.password = page.getByLabel('Password', { exact: true });
    this.wrongCredentials = page.getByText('Wrong email or password.');
  }

  async openSignUp(): Promise<void> {
    await this.page.goto('/sign-up');
    await waitForHydration(this.page, this.hydrated);
  }

  async openSignIn(): Promise<void> {
    await this.page.goto('/sign-in');
    await waitForHydration(this.page, this.hydrated);
  }

  async signUp(person: Person): Promise<void> {
    await this.openSignUp();
    await this.fillSignUp(person);
    await this.expectSignedIn();
  }

  /** Signs up without opening the page of the form, which takes more than a second, and opens a new chat. */
  async signUpByRequest(person: Person, language = 'en-GB'): Promise<void> {
    const headers = { 'Accept-Language': language, 'Sec-Fetch-Site': 'same-origin' };
    const answer = await this.page.request.post('/api/sign_up', { form: { ...person }, headers, maxRedirects: 0 });
    expect(answer.status(), await answer.text()).toBeLessThan(400);
    await this.page.goto('/');
    await this.expectSignedIn();
  }

  async fillSignUp(person: Person): Promise<void> {
    await this.email.fill(person.email);
    await this.name.fill(person.name);
    await this.password.fill(person.password);
    await this.page.getByRole('button', { name: 'Create account' }).click();
  }

  async fillSignIn(email: string, password: string): Promise<void> {
    await this.email.fill(email);
    await this.password.fill(password);
    await this.page.getByRole('button', { name: 'Sign in', exact: true }).click();
  }

  async signIn(person: Person): Promise<void> {
    await this.openSignIn();
    await this.fillSignIn(person.email, person.password);
    await this.expectSignedIn();
  }

  /** Signs out, from any page of a signed-in user. */
  async signOut(): Promise<void> {
    await this.submitSignOut();
    await expect(this.page).toHaveURL(/\/sign-in/);
  }

  /** Signs out, without checking the page that follows. */
  async submitSignOut(): Promise<void> {
    if (!(await this.openMenu())) await this.page.goto('/sessions');
    await this.page.getByRole('button', { name: 'Sign out', exact: true }).filter({ visible: true }).click();
  }

  /** Opens the menu of the sidebar. Returns whether there is one: phones without scripts have no sidebar. */
  async openMenu(): Promise<boolean> {
    const onPhone = (this.page.viewportSize()?.width ?? 0) < 1024;
    if (onPhone && !this.hydrated) return false;
    if (onPhone) await this.page.getByRole('button', { name: 'Open sidebar' }).click();
    await this.page.locator('summary').filter({ hasText: ', account menu', visible: true }).click();
    return true;
  }

  /** Checks that the page of a new chat is open. */
  async expectSignedIn(): Promise<void> {
    await expect(this.page).toHaveURL(/\/$/);
    await expect(this.page.getByRole('textbox', { name: 'Message' })).toBeVisible();
    await waitForHydration(this.page, this.hydrated);
  }
}

import { defineConfig } from '@playwright/test';
import tests from './playwright.config.ts';

// Takes the screenshots of the documentation and makes the icons: `scripts/pictures`. Not part of the tests.
export default defineConfig({ ...tests, testDir: './pictures', reporter: 'list', projects: [{ name: 'pictures', use: { viewport: { width: 1280, height: 800 } } }] });

// Prints docs/reference/tables.md from the tables' declarations.
import { TABLES, tablesPage } from '@thalweg/model';

process.stdout.write(tablesPage(TABLES));

// Prints docs/reference/tables.md from the tables' declarations.
import { l7FlowLog, tablesPage, traceAlias } from '@thalweg/model';

process.stdout.write(tablesPage([l7FlowLog, traceAlias]));

import { expect, test } from 'vitest';
import { buildTree } from './flame-graph.ts';
import { profileTracing } from './profile-tracing.ts';

const STACKS = [
  { stack: '[p] nginx;main;read;[k] sys_read;[k] vfs_read', value: 4 },
  { stack: '[p] nginx;main;main', value: 2 },
];

test('nodes name their function and parent; recursion counts once', async () => {
  expect(await profileTracing(await buildTree(STACKS), -1)).toEqual({
    functions: ['total', '[p] nginx', 'main', 'read', '[k] sys_read', '[k] vfs_read'],
    function_types: ['A', 'P', 'A', 'A', 'K', 'K'],
    function_values: {
      columns: ['self_value', 'total_value'],
      values: [
        [0, 6],
        [0, 6],
        [2, 6],
        [0, 4],
        [0, 4],
        [4, 4],
      ],
    },
    node_values: {
      columns: ['function_id', 'parent_node_id', 'self_value', 'total_value'],
      values: [
        [0, -1, 0, 6],
        [1, 0, 0, 6],
        [2, 1, 0, 6],
        [3, 2, 0, 4],
        [4, 3, 0, 4],
        [5, 4, 4, 4],
        [2, 2, 2, 2],
      ],
    },
  });
});

test("frames of the kernel below the depth are their caller's", async () => {
  const { functions, node_values } = await profileTracing(await buildTree(STACKS), 1);
  expect(functions).toEqual(['total', '[p] nginx', 'main', 'read', '[k] sys_read']);
  expect(node_values.values).toContainEqual([4, 3, 4, 4]);
});

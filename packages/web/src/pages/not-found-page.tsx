import type { ReactNode } from 'react';
import { Link, useLocation } from 'react-router';
import { Frame } from '../ui/frame.tsx';
import { Message } from '../ui/message.tsx';

/** An address that leads nowhere. */
export function NotFoundPage(): ReactNode {
  const { pathname } = useLocation();
  return (
    <Frame title="Not found" shortcuts={[]}>
      <Message title="There is no such page">
        <p>
          <code>{pathname}</code> is not a page of Thalweg.
        </p>
        <p>
          Next: <Link to="/traces">look at the traces</Link>.
        </p>
      </Message>
    </Frame>
  );
}

// The shop's stock: GET /items/ID, POST /reservations. Item 13 is broken, as some item always is.
import { answer, bodyOf, serve } from './service.ts';

serve((request, response) => {
  const path = request.url ?? '/';
  if (path === '/items/13') return answer(response, 500, { error: 'shelf 13 is not there' });
  if (path.startsWith('/items/')) return answer(response, 200, { item: path.slice(7), count: 42 });
  if (path !== '/reservations') return answer(response, 404, { error: `no such page: ${path}` });
  bodyOf(request).then(
    (body) => answer(response, 201, { reserved: body.length > 0 }),
    () => response.destroy(),
  );
});

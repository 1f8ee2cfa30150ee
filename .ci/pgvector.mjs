// A PostgreSQL with pgvector for the storage tests: PGlite behind a socket.
// Usage: node pgvector.mjs PORT, in a folder whose node_modules has the packages.
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'

const db = await PGlite.create({ extensions: { vector } })
const server = new PGLiteSocketServer({ db, port: Number(process.argv[2]), host: '127.0.0.1', maxConnections: 20 })
await server.start()
for (const signal of ['SIGINT', 'SIGTERM']) {
	process.on(signal, async () => {
		await server.stop()
		await db.close()
		process.exit(0)
	})
}

package postgres

// Pgvector tells whether vectors are searched by the database.
func (s *Store) Pgvector() bool { return s.pgvector }

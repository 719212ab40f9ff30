package store

// Meta decodes what is kept under a name into a variable, and says whether there is anything.
func (tx *Tx) Meta(name string, into any) (bool, error) {
	value := tx.get(notes, []byte(name))
	if value == nil {
		return false, nil
	}
	err := tx.decode(notes, []byte(name), value, into)
	return err == nil, err
}

// MetaUnder returns the names that begin with prefix, in order.
func (tx *Tx) MetaUnder(prefix string) ([]string, error) {
	var names []string
	err := tx.under(notes, []byte(prefix), func(key, _ []byte) (bool, error) {
		names = append(names, string(key))
		return true, nil
	})
	return names, err
}

// DeleteMeta forgets what is kept under a name; nothing is no error.
func (tx *Tx) DeleteMeta(name string) error { return tx.delete(notes, []byte(name)) }

// PutMeta keeps a value under a name.
func (tx *Tx) PutMeta(name string, v any) error { return tx.write(notes, []byte(name), v) }

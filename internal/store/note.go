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

// PutMeta keeps a value under a name.
func (tx *Tx) PutMeta(name string, v any) error { return tx.write(notes, []byte(name), v) }

package store

import (
	"fmt"
	"os"

	"elevate/internal/pim"
)

// Stats is how much the file holds.
type Stats struct {
	Requests uint64            // ever
	Open     map[pim.State]int // by state
	Events   uint64
	Untold   uint64 // events that were not on the sink at the last commit
	Effects  int
	Parked   int
	Links    int
	Sessions int
	Bytes    int64 // the file's size
}

// Stats counts. It takes time with what is open, not with what is stored.
func (db *DB) Stats() (Stats, error) {
	s := Stats{Open: map[pim.State]int{}}
	err := db.View(func(tx *Tx) error {
		c, err := tx.theChain()
		if err != nil {
			return err
		}
		s.Requests, s.Events, s.Untold = c.Requests, c.Seq, c.Seq-min(c.Told, c.Seq)
		open, err := tx.OpenRequests()
		if err != nil {
			return err
		}
		for _, r := range open {
			s.Open[r.State]++
		}
		for b, count := range map[bucket]*int{effects: &s.Effects, parked: &s.Parked, links: &s.Links, sessions: &s.Sessions} {
			if *count, err = tx.count(b); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Stats{}, err
	}
	info, err := os.Stat(db.path)
	if err != nil {
		return Stats{}, fmt.Errorf("looking at the state file: %w", err)
	}
	s.Bytes = info.Size()
	return s, nil
}

func (tx *Tx) count(b bucket) (int, error) {
	n := 0
	err := tx.scan(b, nil, nil, func(_, _ []byte) (bool, error) {
		n++
		return true, nil
	})
	return n, err
}

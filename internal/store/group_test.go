package store_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"elevate/internal/pim"
	"elevate/internal/store"
)

var errMine = errors.New("mine")

func TestFailingUpdateIsUndoneAlone(t *testing.T) {
	f := newFile(t)
	const callers = 60
	results := make([]error, callers)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			results[i] = f.db.Update(t.Context(), func(tx *store.Tx) error {
				if err := tx.PutMeta(fmt.Sprint(i), i); err != nil {
					return err
				}
				if _, err := tx.Append(pim.Event{Kind: pim.EventRequested, Chat: pim.System, Text: fmt.Sprint(i)}); err != nil {
					return err
				}
				switch i % 6 {
				case 1:
					return errMine
				case 2:
					panic("mine too")
				}
				return nil
			})
		})
	}
	all.Wait()
	f.view(t, func(tx *store.Tx) error {
		for i, err := range results {
			var got int
			stored, readErr := tx.Meta(fmt.Sprint(i), &got)
			if readErr != nil {
				return readErr
			}
			switch i % 6 {
			case 1:
				if !errors.Is(err, errMine) || stored {
					t.Errorf("%d: error %v, stored %v", i, err, stored)
				}
			case 2:
				if !pim.IsKind(err, pim.Internal) || stored {
					t.Errorf("%d: error %v, stored %v", i, err, stored)
				}
			default:
				if err != nil || !stored || got != i {
					t.Errorf("%d: error %v, stored %v as %d", i, err, stored, got)
				}
			}
		}
		return nil
	})
	if lines := strings.Count(f.sink.String(), "\n"); lines != callers*4/6 {
		t.Errorf("the sink has %d lines for %d events", lines, callers*4/6)
	}
	if _, err := f.db.Verify(t.Context(), store.Anchor{}, strings.NewReader(f.sink.String())); err != nil {
		t.Errorf("Verify: %v", err)
	}
}

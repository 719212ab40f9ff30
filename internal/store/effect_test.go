package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"elevate/internal/pim"
	"elevate/internal/store"
)

func TestEffectPutAgainKeepsItsAgeAndRaisesItsGen(t *testing.T) {
	f := newFile(t)
	f.update(t, func(tx *store.Tx) error {
		if _, err := tx.Append(pim.Event{Kind: pim.EventRequested, Chat: pim.System}); err != nil {
			return err
		}
		return tx.PutEffect(store.Effect{Key: "k", Kind: "cards"})
	})
	f.now = start.Add(time.Minute)
	f.update(t, func(tx *store.Tx) error {
		return tx.PutEffect(store.Effect{Key: "k", Kind: "cards", Due: f.now.Add(time.Minute)})
	})
	want := store.Effect{Key: "k", Kind: "cards", First: start, Due: f.now.Add(time.Minute), Gen: 2, After: 1}
	f.update(t, func(tx *store.Tx) error {
		got, ok, err := tx.Effect("k")
		if err != nil || !ok {
			t.Errorf("Effect: %v, %v", ok, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if gone, err := tx.DeleteEffect("k", 1); gone || err != nil {
			t.Errorf("deleting the one that was replaced: %v, %v", gone, err)
		}
		if gone, err := tx.DeleteEffect("k", 2); !gone || err != nil {
			t.Errorf("deleting the present one: %v, %v", gone, err)
		}
		if gone, err := tx.DeleteEffect("k", 2); gone || err != nil {
			t.Errorf("deleting what is gone: %v, %v", gone, err)
		}
		return nil
	})
}

func TestParkedEffectWaitsForAPerson(t *testing.T) {
	f := newFile(t)
	effect := func(tx *store.Tx) store.Effect {
		e, _, err := tx.Effect("k")
		if err != nil {
			t.Error(err)
		}
		return e
	}
	f.update(t, func(tx *store.Tx) error {
		if err := tx.PutEffect(store.Effect{Key: "k", Kind: "cards"}); err != nil {
			return err
		}
		return tx.Park(effect(tx), "given up")
	})
	f.now = start.Add(time.Hour)
	f.update(t, func(tx *store.Tx) error {
		if all, err := tx.Effects(); len(all) != 0 || err != nil {
			t.Errorf("it is still at work: %v, %v", all, err)
		}
		parked, err := tx.Parked()
		if err != nil || len(parked) != 1 || parked[0].Why != "given up" || !parked[0].At.Equal(start) {
			t.Errorf("Parked: %+v, %v", parked, err)
		}
		e, err := tx.Unpark("k")
		if err != nil || !e.First.Equal(f.now) || !e.Due.Equal(f.now) {
			t.Errorf("Unpark: %+v, %v", e, err)
		}
		if _, err := tx.Unpark("k"); !pim.IsKind(err, pim.NotFound) {
			t.Errorf("a second Unpark: %v", err)
		}
		return nil
	})
	t.Run("and a newer one of the same key stays at work", func(t *testing.T) {
		f.update(t, func(tx *store.Tx) error {
			old := effect(tx)
			if err := tx.PutEffect(store.Effect{Key: "k", Kind: "cards"}); err != nil {
				return err
			}
			newer := effect(tx)
			if err := tx.Park(old, "given up"); err != nil {
				return err
			}
			if diff := cmp.Diff(newer, effect(tx)); diff != "" {
				t.Errorf("Park touched it:\n%s", diff)
			}
			if _, err := tx.Unpark("k"); err != nil {
				return err
			}
			if diff := cmp.Diff(newer, effect(tx)); diff != "" {
				t.Errorf("Unpark touched it:\n%s", diff)
			}
			return nil
		})
	})
	t.Run("or is dropped", func(t *testing.T) {
		f.update(t, func(tx *store.Tx) error {
			if err := tx.Park(effect(tx), "given up"); err != nil {
				return err
			}
			if p, err := tx.DropParked("k"); err != nil || p.Effect.Key != "k" {
				t.Errorf("DropParked: %+v, %v", p, err)
			}
			if _, err := tx.DropParked("k"); !pim.IsKind(err, pim.NotFound) {
				t.Errorf("a second DropParked: %v", err)
			}
			return nil
		})
	})
}

func TestEffectsOfFailedUpdatesNeverRun(t *testing.T) {
	f := newFile(t)
	var ran []string
	f.db.OnEffects(func(all []store.Effect) {
		for _, e := range all {
			ran = append(ran, e.Key)
		}
	})
	for _, key := range []string{"good", "bad", "fine"} {
		err := f.db.Update(t.Context(), func(tx *store.Tx) error {
			if err := tx.PutEffect(store.Effect{Key: key, Kind: "cards"}); err != nil {
				return err
			}
			if key == "bad" {
				return errMine
			}
			return nil
		})
		if (err != nil) != (key == "bad") {
			t.Errorf("%s: %v", key, err)
		}
	}
	if diff := cmp.Diff([]string{"good", "fine"}, ran); diff != "" {
		t.Errorf("(-want +ran):\n%s", diff)
	}
}

package store_test

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"elevate/internal/pim"
	"elevate/internal/store"
)

// What is stored are the types of pim and store with their JSON names. Every name and form that a file may hold stands in
// testdata/stored.json: a difference means that files of this version would be read wrongly, and wants a new version of
// the schema and a migration. Only a new field with omitempty or omitzero may be added
// without one.
func TestStoredRecordsKeepTheirNames(t *testing.T) {
	t.Parallel()
	records := map[string]any{}
	for name, record := range map[string]any{
		"request": &pim.Request{}, "event": &pim.Event{}, "effect": &store.Effect{}, "parked": &store.Parked{}, "intent": &store.Intent{},
		"ref": &store.Ref{}, "link": &store.Link{}, "session": &store.Session{}, "ticket": &store.Ticket{},
	} {
		filled(t, name, reflect.ValueOf(record).Elem())
		records[name] = record
	}
	got, err := json.MarshalIndent(records, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if *newFixture {
		if err := os.WriteFile("testdata/stored.json", append(got, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/stored.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(want)), string(got)); diff != "" {
		t.Errorf("what is stored (-want +got):\n%s", diff)
	}
}

// filled gives every field a value that is not its zero.
func filled(t *testing.T, at string, v reflect.Value) {
	t.Helper()
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(start))
		return
	case json.RawMessage:
		v.SetBytes([]byte(`{}`))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			filled(t, at+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte("bytes"))
			return
		}
		filled(t, at, v.Index(0))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		filled(t, at, v.Elem())
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{"text": "text"}))
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint64:
		v.SetUint(1)
	default:
		t.Fatalf("%s: a %s is not stored yet; say here how", at, v.Kind())
	}
}

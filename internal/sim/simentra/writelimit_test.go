package simentra_test

import (
	"net/http"
	"testing"
	"time"

	"elevate/internal/sim/simentra"
)

func TestTooManyChangesAreThrottled(t *testing.T) {
	t.Parallel()
	w := setup(t, simentra.Behavior{WriteLimit: 3, PageSize: 100})
	for range 3 {
		w.created()
		w.age(2 * time.Second)
	}
	r := w.call("ada", http.MethodPost, "/v1.0/groups", newGroup())
	if r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") != "4" || r.code(t) != "TooManyRequests" {
		t.Errorf("the fourth: %d %v %s", r.status, r.header, r.body)
	}
	if got := w.call("ada", http.MethodGet, "/v1.0/groups", nil); got.status != http.StatusOK {
		t.Errorf("reading: %d", got.status)
	}
	w.age(4 * time.Second) // one of the three is ten seconds old
	item := func(id string) map[string]any {
		return map[string]any{"id": id, "method": "POST", "url": "/groups", "body": newGroup(), "headers": map[string]any{"Content-Type": "application/json"}}
	}
	batch := w.call("ada", http.MethodPost, "/v1.0/$batch", map[string]any{"requests": []any{item("1"), item("2")}})
	got := map[any]map[string]any{}
	for _, one := range batch.json(t)["responses"].([]any) {
		got[one.(map[string]any)["id"]] = one.(map[string]any)
	}
	if batch.status != http.StatusOK || got["1"]["status"] != 201.0 || got["2"]["status"] != 429.0 || got["2"]["headers"].(map[string]any)["Retry-After"] != "2" {
		t.Errorf("in a batch: %v and %v", got["1"]["status"], got["2"])
	}
	if all := w.value("ada", "/v1.0/groups?$filter=displayName eq 'Role_MDE Hunter'"); len(all) != 4 {
		t.Errorf("%d groups were made", len(all))
	}
}

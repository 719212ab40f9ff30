package odata_test

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"elevate/internal/sim/simentra/odata"
)

var row = map[string]any{
	"id":               "1",
	"groupId":          "AAAA",
	"status":           "PendingApproval",
	"accountEnabled":   true,
	"createdDateTime":  "2026-03-02T09:00:00.5Z",
	"completed":        nil,
	"displayName":      "O'Hara",
	"initiatedBy":      map[string]any{"user": map[string]any{"id": "u1"}},
	"targetResources":  []any{map[string]any{"id": "t1"}, map[string]any{"id": "t2"}},
	"@odata.type":      "#x",
	"loggedByService":  "PIM",
	"activityDateTime": "2026-03-02T09:00:00Z",
}

func TestFilters(t *testing.T) {
	t.Parallel()
	for filter, want := range map[string]bool{
		"groupId eq 'aaaa'":                               true,
		"groupId eq 'b'":                                  false,
		"groupId ne 'b'":                                  true,
		"groupId eq 'AAAA' and status eq 'Denied'":        false,
		"groupId eq 'b' or status eq 'PendingApproval'":   true,
		"not (groupId eq 'b')":                            true,
		"displayName eq 'O''Hara'":                        true,
		"startswith(displayName,'o''h')":                  true,
		"startswith(displayName,'O''Hara and more')":      false,
		"createdDateTime ge 2026-03-02T09:00:00Z":         true,
		"createdDateTime le 2026-03-02T09:00:00Z":         false,
		"createdDateTime gt 2026-03-02T10:00:00+01:00":    true,
		"createdDateTime lt 2026-03-02T09:00:00.6Z":       true,
		"completed eq null":                               true,
		"accountEnabled eq true":                          true,
		"id in ('0', '1')":                                true,
		"id in ('0')":                                     false,
		"initiatedBy/user/id eq 'u1'":                     true,
		"initiatedBy/app/id eq 'u1'":                      false,
		"targetResources/any(t:t/id eq 't2')":             true,
		"targetResources/any(t: t/id eq 't3')":            false,
		"id eq '1' and (status eq 'x' or groupId eq 'y')": false,
	} {
		f, err := odata.ParseFilter(filter)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		if got := f.Match(row); got != want {
			t.Errorf("%s: got %v", filter, got)
		}
	}
}

func TestMalformedFiltersAreRefused(t *testing.T) {
	t.Parallel()
	for _, filter := range []string{
		"", "groupId", "groupId eq", "groupId eq 'x", "groupId is 'x'", "(groupId eq 'x'", "groupId eq 'x' groupId", "and", "startswith(a)",
		"startswith(a,b)", "a in ()", "a in ('x'", "t/any(x)", "t/any(x:)", "'a' eq 'a'", "not", "contains(displayName,'x')",
	} {
		if _, err := odata.ParseFilter(filter); err == nil {
			t.Errorf("%q was taken", filter)
		}
	}
}

func TestEqualsFindsOnlyWhatEveryMatchMustHave(t *testing.T) {
	t.Parallel()
	for filter, want := range map[string]string{
		"groupId eq 'x' and status eq 'y'":       "x",
		"status eq 'y' and (groupid eq 'x')":     "x",
		"groupId eq 'x' or status eq 'y'":        "",
		"groupId ne 'x'":                         "",
		"not (groupId eq 'x')":                   "",
		"targetResources/any(t:t/groupId eq '')": "",
	} {
		f, err := odata.ParseFilter(filter)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := odata.Equals(f, "groupId"); got != want {
			t.Errorf("%s: got %q", filter, got)
		}
	}
}

func TestPagesFollowEachOtherToTheEnd(t *testing.T) {
	t.Parallel()
	var all []map[string]any
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		all = append(all, map[string]any{"id": id, "name": "n" + id, "@odata.type": "#x"})
	}
	var got []any
	values := url.Values{"$select": {"ID"}, "$filter": {"id ne 'b'"}, "$top": {"100"}}
	for range 10 {
		q, err := odata.Parse(values)
		if err != nil {
			t.Fatal(err)
		}
		page, err := q.Page(all, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			if len(item) != 2 {
				t.Errorf("$select left %v", item)
			}
			got = append(got, item["id"])
		}
		if page.Next == "" {
			break
		}
		values.Set("$skiptoken", page.Next)
	}
	if diff := cmp.Diff([]any{"a", "c", "d", "e"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestOrderFollowsTimesNotSpellings(t *testing.T) {
	t.Parallel()
	all := []map[string]any{{"at": "2026-03-02T09:00:05Z"}, {"at": "2026-03-02T09:00:05.5Z"}, {"at": "2026-03-02T09:00:04Z"}}
	for order, want := range map[string]string{"at": "2026-03-02T09:00:04Z", "at desc": "2026-03-02T09:00:05.5Z", "": "2026-03-02T09:00:05Z"} {
		q, err := odata.Parse(url.Values{"$orderby": {order}})
		if err != nil {
			t.Fatal(err)
		}
		page, err := q.Page(all, 3)
		if err != nil {
			t.Fatal(err)
		}
		if got := page.Items[0]["at"]; got != want {
			t.Errorf("%q: first is %v", order, got)
		}
	}
}

func TestBadQueriesAreRefused(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"$top=0", "$top=1000", "$top=x", "$skiptoken=!", "$skiptoken=eA", "$apply=x", "$filter=(", "$skip=1", "$search=x", "$orderby=a,b", "$orderby=a up"} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := odata.Parse(values); err == nil {
			t.Errorf("%s was taken", query)
		}
	}
	if _, err := (odata.Query{Select: []string{"nothing"}}).Project(row); err == nil {
		t.Error("an unknown property was selected")
	}
}

func FuzzParseFilter(f *testing.F) {
	f.Add("groupId eq 'x' and (status eq 'y' or not startswith(a,'b'))")
	f.Add("targetResources/any(t:t/id eq 'x')")
	f.Fuzz(func(_ *testing.T, text string) {
		if parsed, err := odata.ParseFilter(text); err == nil {
			parsed.Match(row)
		}
	})
}

// Package odata is the part of OData's query language that the fake Graph answers: $filter, $select, $top, $skiptoken.
//
// It works on entities as JSON objects and knows none of their types. What it does not understand it refuses, as Graph
// does; it never leaves a clause out.
package odata

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A Query is what stands behind the question mark.
type Query struct {
	Filter Filter // nil: everything
	Select []string
	Expand string
	Count  bool
	Order  string // property path; empty: as the service has it
	Down   bool   // descending
	Top    int    // 0: the service's page
	Skip   int    // where the page begins, from $skiptoken
}

var known = []string{"$filter", "$select", "$expand", "$count", "$top", "$skiptoken", "$orderby"}

// Parse reads a query string. Its errors are fit to be shown to the caller.
func Parse(values url.Values) (Query, error) {
	for name := range values {
		if strings.HasPrefix(name, "$") && !slices.Contains(known, name) {
			return Query{}, fmt.Errorf("the query parameter '%s' is not supported", name)
		}
	}
	q := Query{Expand: values.Get("$expand"), Count: values.Get("$count") == "true"}
	if text := values.Get("$select"); text != "" {
		q.Select = strings.Split(text, ",")
	}
	if text := values.Get("$filter"); text != "" {
		f, err := ParseFilter(text)
		if err != nil {
			return Query{}, fmt.Errorf("invalid filter clause: %w", err)
		}
		q.Filter = f
	}
	if err := q.order(values.Get("$orderby")); err != nil {
		return Query{}, err
	}
	return q, q.window(values)
}

func (q *Query) order(text string) error {
	fields := strings.Fields(text)
	switch {
	case len(fields) == 0:
		return nil
	case len(fields) == 2 && strings.EqualFold(fields[1], "desc"):
		q.Down = true
	case len(fields) > 2 || strings.Contains(text, ",") || (len(fields) == 2 && !strings.EqualFold(fields[1], "asc")):
		return fmt.Errorf("the $orderby expression '%s' is not supported", text)
	}
	q.Order = fields[0]
	return nil
}

func (q Query) sorted(entities []map[string]any) []map[string]any {
	if q.Order == "" {
		return entities
	}
	path := strings.Split(q.Order, "/")
	out := slices.Clone(entities)
	slices.SortStableFunc(out, func(a, b map[string]any) int {
		if q.Down {
			a, b = b, a
		}
		return compare(lookup(a, path), lookup(b, path))
	})
	return out
}

func compare(a, b any) int {
	if x, ok := instant(a); ok {
		if y, ok := instant(b); ok {
			return x.Compare(y)
		}
	}
	left, _ := a.(string)
	right, _ := b.(string)
	return strings.Compare(left, right)
}

func (q *Query) window(values url.Values) error {
	if text := values.Get("$top"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 999 {
			return fmt.Errorf("invalid page size specified: '%s'. Must be between 1 and 999 inclusive", text)
		}
		q.Top = n
	}
	text := values.Get("$skiptoken")
	if text == "" {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return fmt.Errorf("skip token is not valid")
	}
	if q.Skip, err = strconv.Atoi(string(raw)); err != nil || q.Skip < 0 {
		return fmt.Errorf("skip token is not valid")
	}
	return nil
}

// A Page is one page of a list, and the $skiptoken of the next one unless it is the last.
type Page struct {
	Items []map[string]any
	Total int
	Next  string
}

// Page filters, cuts and projects entities; pages have at most size items, however many $top asks for.
func (q Query) Page(entities []map[string]any, size int) (Page, error) {
	matching := entities
	if q.Filter != nil {
		matching = nil
		for _, e := range entities {
			if q.Filter.Match(e) {
				matching = append(matching, e)
			}
		}
	}
	matching = q.sorted(matching)
	if q.Top > 0 && q.Top < size {
		size = q.Top
	}
	from := min(q.Skip, len(matching))
	to := min(from+size, len(matching))
	page := Page{Items: []map[string]any{}, Total: len(matching)}
	if to < len(matching) {
		page.Next = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to)))
	}
	for _, e := range matching[from:to] {
		item, err := q.Project(e)
		if err != nil {
			return Page{}, err
		}
		page.Items = append(page.Items, item)
	}
	return page, nil
}

// Project keeps the properties that $select names. The entity must hold every property its type has.
func (q Query) Project(entity map[string]any) (map[string]any, error) {
	if len(q.Select) == 0 {
		return entity, nil
	}
	out := map[string]any{}
	for key, value := range entity {
		if strings.HasPrefix(key, "@odata.") {
			out[key] = value
		}
	}
	for _, name := range q.Select {
		key, ok := key(entity, strings.TrimSpace(name))
		if !ok {
			return nil, fmt.Errorf("parsing OData Select and Expand failed: could not find a property named '%s'", name)
		}
		out[key] = entity[key]
	}
	return out, nil
}

func key(entity map[string]any, name string) (string, bool) {
	for key := range entity {
		if strings.EqualFold(key, name) {
			return key, true
		}
	}
	return "", false
}

package entra

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	kiota "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/serialization"

	"elevate/internal/pim"
)

// Limits of a batch and of what is read through it.
const (
	batchSize    = 20  // Graph's limit
	maxPages     = 200 // of one list
	maxTries     = 3   // of one reading, where Graph was busy or broken
	longestPause = 5 * time.Second
	longestWait  = 2 * time.Minute // of a person, where a batch is refused as a whole
)

var errEndless = pim.Errorf(pim.Unavailable, "Microsoft Graph gave a list that does not end. Try again in a minute.")

// reading is one thing to read through a batch. Its own type is used because the SDK's batch drops numbers, gives up the
// whole batch for one answer that is not an object, and panics on headers that are not text.
type reading struct {
	name   string // in metrics and errors
	method string
	path   string // below the version, with the query
	body   json.RawMessage
	pages  int
	tries  int
	// take reads the body of a good answer and returns the address of the next page, if there is one.
	take func(body []byte) (next string, err error)
	// done is called after the last page, and may ask for more.
	done func() []*reading
	// absent is called instead where Graph says 404; nil makes that an error.
	absent func(f fault) bool
	// young has absent asked about 400 too: PIM says that of a group which it does not know yet.
	young bool
}

type batchItem struct {
	ID      string            `json:"id"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"`
}

type batchAnswer struct {
	Responses []struct {
		ID      string          `json:"id"`
		Status  int             `json:"status"`
		Headers map[string]any  `json:"headers"`
		Body    json.RawMessage `json:"body"`
	} `json:"responses"`
}

// itemAnswer is one answer inside a batch.
type itemAnswer struct {
	status int
	header http.Header
	body   []byte
}

// newReading turns a request of the SDK's builders into a reading.
func (c *Client) newReading(name string, info *kiota.RequestInformation, err error) (*reading, error) {
	if err != nil {
		return nil, pim.Errorf(pim.Internal, "Elevate could not make its question to Microsoft Graph. Tell an administrator.")
	}
	info.PathParameters["baseurl"] = c.base.String()
	address, err := info.GetUri()
	if err != nil {
		return nil, pim.Errorf(pim.Internal, "Elevate made an address that Microsoft Graph does not have. Tell an administrator.")
	}
	address.RawQuery = strings.ReplaceAll(address.RawQuery, "%24", "$") // the SDK escapes the names of the options
	path := strings.TrimPrefix(address.RequestURI(), c.base.Path)
	path = strings.Replace(path, "/graph.user", "/microsoft.graph.user", 1) // the SDK's alias, which the documents do not know
	return &reading{name: name, method: info.Method.String(), path: path, body: info.Content}, nil
}

// ours checks the address of a next page, which comes from outside: it must be below this Graph.
func (c *Client) ours(address string) (string, error) {
	next, err := url.Parse(address)
	if err != nil || next.Scheme != c.base.Scheme || !strings.EqualFold(next.Host, c.base.Host) || next.User != nil ||
		!strings.HasPrefix(next.Path, c.base.Path+"/") || strings.Contains(next.Path, "..") {
		return "", pim.Errorf(pim.Unavailable, "Microsoft Graph pointed to another host for the rest of a list. Tell an administrator to check the proxy.")
	}
	return c.base.String() + strings.TrimPrefix(next.RequestURI(), c.base.Path), nil
}

// pagePath gives the address of a next page as a batch wants it.
func (c *Client) pagePath(address string) (string, error) {
	whole, err := c.ours(address)
	if err != nil {
		return "", err
	}
	return strings.TrimPrefix(whole, c.base.String()), nil
}

// send posts at most twenty readings and gives their answers by position, and Graph's clock.
func (c *Client) send(ctx context.Context, readings []*reading) (map[int]itemAnswer, time.Time, error) {
	k, err := c.asApp(opBatch)
	if err != nil {
		return nil, time.Time{}, err
	}
	info, err := batchRequest(readings)
	if err != nil {
		return nil, time.Time{}, err
	}
	var raw []byte
	err = k.do(ctx, func(ctx context.Context) error {
		body, err := k.adapter.SendPrimitive(ctx, info, "[]byte", nil)
		raw, _ = body.([]byte)
		return err
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	answers, err := readBatch(raw)
	if err != nil {
		return nil, time.Time{}, k.unreadable()
	}
	return answers, k.seen.at, nil
}

func batchRequest(readings []*reading) (*kiota.RequestInformation, error) {
	items := make([]batchItem, len(readings))
	for i, r := range readings {
		items[i] = batchItem{ID: strconv.Itoa(i), Method: r.method, URL: r.path, Body: r.body}
		if r.body != nil {
			items[i].Headers = map[string]string{"Content-Type": "application/json"}
		}
	}
	body, err := json.Marshal(map[string]any{"requests": items})
	if err != nil {
		return nil, pim.Errorf(pim.Internal, "Elevate could not make its question to Microsoft Graph. Tell an administrator.")
	}
	info := kiota.NewRequestInformation()
	info.Method, info.UrlTemplate = kiota.POST, "{+baseurl}/$batch"
	info.SetStreamContentAndContentType(body, "application/json")
	info.Headers.TryAdd("Accept", "application/json")
	return info, nil
}

func readBatch(raw []byte) (map[int]itemAnswer, error) {
	var batch batchAnswer
	if err := json.Unmarshal(raw, &batch); err != nil {
		return nil, err
	}
	answers := make(map[int]itemAnswer, len(batch.Responses))
	for _, r := range batch.Responses {
		i, err := strconv.Atoi(r.ID)
		if err != nil {
			continue
		}
		header := http.Header{}
		for name, value := range r.Headers {
			if s, ok := value.(string); ok {
				header.Set(name, s)
			}
		}
		answers[i] = itemAnswer{status: r.Status, header: header, body: plainBody(r.Body)}
	}
	return answers, nil
}

// plainBody undoes the base64 that Graph puts around what is not JSON; some services wrap their JSON in it too.
func plainBody(body json.RawMessage) []byte {
	var encoded string
	if json.Unmarshal(body, &encoded) != nil {
		return body
	}
	plain, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || !json.Valid(plain) {
		return nil
	}
	return respell(plain)
}

// parsed reads a body with a model of the SDK's.
func parsed[T serialization.Parsable](c *Client, body []byte, factory serialization.ParsableFactory) (result T, err error) {
	err = guarded(func() error {
		node, err := c.readers.GetRootParseNode("application/json", body)
		if err != nil {
			return err
		}
		value, err := node.GetObjectValue(factory)
		if err != nil {
			return err
		}
		typed, ok := value.(T)
		if !ok {
			return errors.New("another type than was asked for")
		}
		result = typed
		return nil
	})
	if err != nil {
		return result, pim.Errorf(pim.Unavailable, "Microsoft Graph gave an answer that Elevate cannot read. Try again in a minute.")
	}
	return result, nil
}

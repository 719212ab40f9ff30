package entra

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	kiotahttp "github.com/microsoft/kiota-http-go"
	graphcore "github.com/microsoftgraph/msgraph-sdk-go-core"

	"elevate/internal/pim"
)

// call is one call to Graph as one identity: an adapter of the SDK of its own, so that what is noted on the wire belongs
// to nobody else. The connections below are shared.
type call struct {
	client  *Client
	op      operation
	adapter *graphcore.GraphRequestAdapterBase
	seen    *exchange
}

func (c *Client) asPerson(op operation, as pim.Actor) (*call, error) {
	return c.call(op, personTokens(c.person, as))
}

func (c *Client) asApp(op operation) (*call, error) {
	return c.call(op, appTokens(c.app, c.scopes))
}

// call builds the adapter by hand. The SDK's own list of middleware repeats what must not be repeated, compresses what
// is then refused, follows redirects, and stands in an order that changes from one start to the next.
func (c *Client) call(op operation, tokens tokenSource) (*call, error) {
	k := &call{client: c, op: op, seen: &exchange{}}
	client := &http.Client{
		Timeout:       callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: kiotahttp.NewCustomTransportWithParentTransport(
			&wire{next: c.transport, clock: &c.clock, seen: k.seen}, kiotahttp.NewParametersNameDecodingHandler()),
	}
	adapter, err := graphcore.NewGraphRequestAdapterBaseWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		&bearer{graph: c.base, tokens: tokens}, graphcore.GraphClientOptions{}, c.readers, c.writers, client)
	if err != nil {
		return nil, fmt.Errorf("entra: making the adapter: %w", err)
	}
	adapter.SetBaseUrl(c.base.String())
	k.adapter = adapter
	return k, nil
}

// root are the path parameters that the SDK's builders start from.
func (k *call) root() map[string]string {
	return map[string]string{"baseurl": k.client.base.String()}
}

// do runs fn, which makes the call, and gives the error for the person. It never hands on what the SDK made of a refusal:
// that text holds addresses and answers, and the SDK panics while it makes it.
func (k *call) do(ctx context.Context, fn func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := guarded(func() error { return fn(ctx) })
	k.client.metrics(string(k.op), k.seen.status)
	k.client.log.DebugContext(ctx, "graph call", "operation", string(k.op), "status", k.seen.status, "request_id", safeID(k.seen.header.Get("request-id")))
	if noToken, ok := errors.AsType[*tokenError](err); ok {
		return noToken.cause
	}
	switch {
	case k.seen.status >= 300 || (k.seen.status > 0 && k.seen.status < 200):
		return judge(k.op, readFault(k.seen.status, k.seen.header, k.seen.body))
	case err != nil:
		return k.broken(err)
	}
	return nil
}

// broken judges a call without a readable answer. Before anything was written nothing can have been done.
func (k *call) broken(err error) error {
	e := pim.Errorf(pim.Unavailable, "Microsoft Graph was not reached. Nothing was changed; try again in a minute.")
	if k.op.changes() && k.seen.sent.Load() {
		e = pim.Errorf(pim.AnswerLost, "%s", answerLost)
	}
	e.RequestID = safeID(k.seen.header.Get("request-id"))
	if k.seen.status > 0 {
		return e // the cause is the parser's, with the answer's text in it
	}
	if withAddress, ok := errors.AsType[*url.Error](err); ok {
		err = withAddress.Err
	}
	return fmt.Errorf("%w (%w)", e, err)
}

// errParserPanicked stands for a panic of the SDK on an answer it did not expect.
var errParserPanicked = errors.New("the answer could not be parsed")

func guarded(fn func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = errParserPanicked
		}
	}()
	return fn()
}

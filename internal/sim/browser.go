package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	maxRedirects = 15
	maxPage      = 1 << 20
)

// browsers are those of the people, kept between acts.
type browsers struct {
	mu   sync.Mutex
	open map[string]*browser
}

// browser is one person's. It does what browsers do where it matters for signing in: cookies with SameSite and
// prefixes, Origin and Sec-Fetch headers, form-action over redirects, no referrer where the page says so.
type browser struct {
	client  *http.Client
	now     func() time.Time
	mu      sync.Mutex
	cookies cookies
	page    *Page
}

func (s *Sandbox) newBrowser() *browser {
	client := s.Client(30 * time.Second)
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{client: client, now: s.now, cookies: cookies{}}
}

// browser returns a person's.
func (s *Sandbox) browser(person string) *browser {
	s.browsers.mu.Lock()
	defer s.browsers.mu.Unlock()
	b := s.browsers.open[person]
	if b == nil {
		b = s.newBrowser()
		s.browsers.open[person] = b
	}
	return b
}

// visitLink opens an address as if it was clicked in a chat.
func (b *browser) visitLink(ctx context.Context, address string) (*Page, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, errors.New("that is no link")
	}
	return b.navigate(ctx, navigation{method: http.MethodGet, to: u})
}

// press submits a form of the page with one of its buttons.
func (b *browser) press(ctx context.Context, f form, button formButton) (*Page, error) {
	fields := url.Values{}
	maps.Copy(fields, f.fields)
	if button.name != "" {
		fields.Set(button.name, button.value)
	}
	n := navigation{method: f.method, to: f.action, page: b.page}
	if f.method == http.MethodGet {
		to := *f.action
		to.RawQuery = fields.Encode()
		n.to = &to
	} else {
		n.form = fields.Encode()
	}
	return b.navigate(ctx, n)
}

// navigation is one way from a page to the next.
type navigation struct {
	method  string
	to      *url.URL
	form    string
	page    *Page // where it was started; nil: outside the browser
	crossed bool  // a redirect led to another origin
}

func (n navigation) from() string {
	if n.page == nil {
		return ""
	}
	return origin(n.page.at)
}

// navigate follows redirects to the next page.
func (b *browser) navigate(ctx context.Context, n navigation) (*Page, error) {
	for range maxRedirects {
		if n.page != nil && !formMayGo(n.page, n.to) { // browsers hold form-action over redirects, too
			return b.refuse(n)
		}
		resp, err := b.send(ctx, n)
		if err != nil {
			return nil, err
		}
		b.cookies.set(n.to, resp.Cookies(), b.now())
		next, err := resp.Location()
		if err != nil || resp.StatusCode < 300 || resp.StatusCode > 399 {
			return b.show(n, resp)
		}
		_ = resp.Body.Close()
		n = n.redirected(resp.StatusCode, next)
	}
	return nil, errors.New("the browser gave up: too many redirects")
}

func (n navigation) redirected(status int, next *url.URL) navigation {
	n.crossed = n.crossed || origin(next) != origin(n.to)
	n.to = next
	if status != http.StatusTemporaryRedirect && status != http.StatusPermanentRedirect {
		n.method, n.form = http.MethodGet, ""
	}
	return n
}

// refuse stays on the page, because its own policy forbids where the form leads.
func (b *browser) refuse(n navigation) (*Page, error) {
	stay := *n.page
	stay.Refusal = "the page's Content-Security-Policy (form-action) does not let its form go to " + origin(n.to)
	b.page = &stay
	return &stay, nil
}

func (b *browser) send(ctx context.Context, n navigation) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, n.method, n.to.String(), strings.NewReader(n.form))
	if err != nil {
		return nil, errors.New("the browser cannot go there")
	}
	v := visit{method: n.method, to: n.to, from: n.from()}
	b.cookies.attach(req, v, b.now())
	req.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	req.Header.Set("Accept", "text/html,application/xhtml+xml")
	req.Header.Set("Accept-Language", "en")
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	req.Header.Set("Sec-Fetch-Dest", "document")
	req.Header.Set("Sec-Fetch-Site", n.fetchSite())
	if n.method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", n.origin())
	}
	resp, err := b.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the browser cannot reach %s: %w", origin(n.to), withoutURL(err))
	}
	return resp, nil
}

// withoutURL takes the address out of an error, which may hold a code.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

func (n navigation) fetchSite() string {
	switch {
	case n.page == nil:
		return "none"
	case !n.crossed && n.from() == origin(n.to):
		return "same-origin"
	}
	return "cross-site"
}

// origin is the header of a form's POST: null where the page lets no referrer out, or a redirect crossed origins.
func (n navigation) origin() string {
	if n.page == nil || n.crossed || strings.EqualFold(n.page.referrer, "no-referrer") {
		return "null"
	}
	return n.from()
}

func (b *browser) show(n navigation, resp *http.Response) (*Page, error) {
	defer func() { _ = resp.Body.Close() }()
	p, err := readPage(io.LimitReader(resp.Body, maxPage), n.to)
	if err != nil {
		return nil, err
	}
	p.Status = resp.StatusCode
	p.policy, p.referrer = resp.Header.Get("Content-Security-Policy"), resp.Header.Get("Referrer-Policy")
	b.page = p
	return p, nil
}

// formMayGo applies the page's form-action.
func formMayGo(p *Page, to *url.URL) bool {
	for directive := range strings.SplitSeq(p.policy, ";") {
		words := strings.Fields(directive)
		if len(words) == 0 || words[0] != "form-action" {
			continue
		}
		for _, source := range words[1:] {
			if sourceAllows(source, p, to) {
				return true
			}
		}
		return false
	}
	return true
}

func sourceAllows(source string, p *Page, to *url.URL) bool {
	switch {
	case source == "'self'":
		return origin(p.at) == origin(to)
	case source == "*":
		return true
	case strings.HasSuffix(source, ":"):
		return source == to.Scheme+":"
	}
	u, err := url.Parse(source)
	return err == nil && origin(u) == origin(to)
}

package sim

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// cookies are a browser's, by origin. On loopback all services share one host and differ in their ports only; real ones
// do not, so a cookie goes back only to the origin that set it.
type cookies map[string]map[string]*http.Cookie

// origin is scheme, host and port.
func origin(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// set keeps what a browser would keep of an answer's cookies.
func (c cookies) set(from *url.URL, list []*http.Cookie, now time.Time) {
	for _, cookie := range list {
		if !acceptable(from, cookie) {
			continue
		}
		kept := c[origin(from)]
		if kept == nil {
			kept = map[string]*http.Cookie{}
			c[origin(from)] = kept
		}
		if cookie.MaxAge < 0 || cookie.MaxAge == 0 && !cookie.Expires.IsZero() && !cookie.Expires.After(now) {
			delete(kept, cookie.Name)
			continue
		}
		if cookie.MaxAge > 0 {
			cookie.Expires = now.Add(time.Duration(cookie.MaxAge) * time.Second)
		}
		kept[cookie.Name] = cookie
	}
}

// acceptable applies the rules for Secure and for the prefixes of RFC 6265bis.
func acceptable(from *url.URL, c *http.Cookie) bool {
	tls := from.Scheme == "https"
	switch {
	case c.Secure && !tls:
		return false
	case c.SameSite == http.SameSiteNoneMode && !c.Secure:
		return false
	case strings.HasPrefix(c.Name, "__Secure-"):
		return c.Secure
	case strings.HasPrefix(c.Name, "__Host-"):
		return c.Secure && c.Path == "/" && c.Domain == ""
	}
	return true
}

// visit is a navigation as the cookie rules see it.
type visit struct {
	method string
	to     *url.URL
	from   string // origin of the page it was started from; empty: typed, or opened from another program
}

// sameSite says whether the visit was started by the site it goes to, or by the person alone.
func (v visit) sameSite() bool { return v.from == "" || v.from == origin(v.to) }

// attach gives a request the cookies a browser would send along.
func (c cookies) attach(r *http.Request, v visit, now time.Time) {
	for _, cookie := range c[origin(v.to)] {
		path := cookie.Path
		if path == "" {
			path = "/"
		}
		expired := !cookie.Expires.IsZero() && !cookie.Expires.After(now)
		if !expired && strings.HasPrefix(v.to.Path+"/", strings.TrimSuffix(path, "/")+"/") && v.allows(cookie) {
			r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value}) //nolint:gosec // attributes belong to answers only
		}
	}
}

// allows applies SameSite. A cookie without it counts as Lax.
func (v visit) allows(c *http.Cookie) bool {
	if v.sameSite() || c.SameSite == http.SameSiteNoneMode {
		return true
	}
	return c.SameSite != http.SameSiteStrictMode && v.method == http.MethodGet
}

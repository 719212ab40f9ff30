package entra

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	kiota "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/groups"
	"github.com/microsoftgraph/msgraph-sdk-go/identitygovernance"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"elevate/internal/pim"
	"elevate/internal/tenant"
)

// sideBySide is how many batches an administrator's reading sends at once: all of a hundred roles, so that no step of it
// waits for another of its own.
const sideBySide = 32

// Read reads what stands in the tenant of all that the settings name: in three steps, each of batches side by side. First the
// groups and people by name, then what is in the groups and PIM's rules for them, then what that leaves open. Anything that
// could not be read is an error: a plan that rests on half of it would be wrong.
func (a *Administrator) Read(ctx context.Context, w tenant.Wanted) (tenant.Actual, error) {
	r := &tenantReader{c: a.client, wanted: w, actual: tenant.Actual{
		Groups: map[string][]tenant.Found{}, People: map[string]pim.Profile{}, Details: map[pim.GroupID]tenant.Details{}, Names: map[pim.PrincipalID]string{},
	}}
	for _, step := range []func(context.Context, *view){r.askNames, r.askDetails, r.askRest} {
		v := a.newView(a.client)
		v.sideBySide = sideBySide
		step(ctx, v)
		if v.err != nil {
			return tenant.Actual{}, v.err
		}
		if len(v.queue) == 0 {
			continue
		}
		if err := v.run(ctx); err != nil {
			return tenant.Actual{}, a.readError(err)
		}
		if len(v.failed) > 0 {
			return tenant.Actual{}, a.readError(errors.Join(v.failed...))
		}
		r.settle(v)
	}
	return r.actual, nil
}

// Beside reads in one step what groups are called and who is eligible for them: no more is needed of those that no role names.
func (a *Administrator) Beside(ctx context.Context, ids []pim.GroupID) (tenant.Actual, error) {
	r := &tenantReader{c: a.client, actual: tenant.Actual{Groups: map[string][]tenant.Found{}, Details: map[pim.GroupID]tenant.Details{}}}
	v := a.newView(a.client)
	v.sideBySide = sideBySide
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = string(id)
		r.askEligible(ctx, v, id)
	}
	inChunks(texts, func(in string) { r.askGroups(ctx, v, "id in "+in, tenantByID) })
	if v.err != nil {
		return tenant.Actual{}, v.err
	}
	if err := errors.Join(v.run(ctx), errors.Join(v.failed...)); err != nil {
		return tenant.Actual{}, a.readError(err)
	}
	return r.actual, nil
}

// insists is how often an administrator's reading is sent again where Graph takes none of it.
const insists = 5

// newView is a reading for somebody who waits for it.
func (a *Administrator) newView(of *Client) *view {
	v := newView(of)
	v.insists = insists
	v.waits = func(d time.Duration) {
		if a.cfg.Tell != nil {
			a.cfg.Tell("Microsoft Graph does not answer at the moment; asking again in " + d.Round(time.Second).String() + ".")
		}
	}
	return v
}

// tenantReader gathers what stands.
type tenantReader struct {
	c      *Client
	wanted tenant.Wanted
	actual tenant.Actual
	nested []pim.GroupID // people's groups with groups in them
	active []pim.GroupID // role groups with members
}

// inChunks makes filters with `in` of at most fifteen values, which is Graph's limit, and not too long for an address.
func inChunks(values []string, ask func(filter string)) {
	const mostValues, mostLength = 15, 1500
	for len(values) > 0 {
		n, length := 0, 0
		for n < len(values) && n < mostValues && (n == 0 || length+len(values[n]) < mostLength) {
			length += len(values[n])
			n++
		}
		list := make([]string, n)
		for i, v := range values[:n] {
			list[i] = quoted(v)
		}
		ask("(" + strings.Join(list, ",") + ")")
		values = values[n:]
	}
}

var foundProperties = []string{
	"id", "displayName", "description", "groupTypes", "isAssignableToRole", "securityEnabled", "onPremisesSyncEnabled", "isManagementRestricted",
}

func split(names []string, is func(string) bool) (yes, no []string) {
	for _, n := range names {
		if is(n) {
			yes = append(yes, n)
		} else {
			no = append(no, n)
		}
	}
	return yes, no
}

func (r *tenantReader) askNames(ctx context.Context, v *view) {
	ids, names := split(r.wanted.GroupNames(), pim.IsGUID)
	inChunks(names, func(in string) { r.askGroups(ctx, v, "displayName in "+in, tenantByName) })
	inChunks(ids, func(in string) { r.askGroups(ctx, v, "id in "+in, tenantByID) })
	r.askRelated(ctx, v, names, ids, "owners", r.addOwners)
	var governed []string
	for _, role := range r.wanted.Roles {
		governed = append(governed, role.Group)
	}
	ids, names = split(governed, pim.IsGUID)
	r.askRelated(ctx, v, names, ids, "memberOf", r.addAround)
	upns, ids := split(r.wanted.PeopleNames(), tenant.IsUPN)
	inChunks(upns, func(in string) { r.askPeople(ctx, v, "userPrincipalName in "+in) })
	inChunks(ids, func(in string) { r.askPeople(ctx, v, "id in "+in) })
	r.askAssignable(ctx, v)
}

func tenantByName(g tenant.Found) string { return tenant.Key(g.Name) }
func tenantByID(g tenant.Found) string   { return tenant.Key(string(g.ID)) }

func (r *tenantReader) listGroups(ctx context.Context, filter string, properties []string) (*kiota.RequestInformation, error) {
	top := pageSize
	return r.c.questions.groups().ToGetRequestInformation(ctx, &groups.GroupsRequestBuilderGetRequestConfiguration{
		QueryParameters: &groups.GroupsRequestBuilderGetQueryParameters{Filter: &filter, Select: properties, Top: &top},
	})
}

func (r *tenantReader) askGroups(ctx context.Context, v *view, filter string, key func(tenant.Found) string) {
	info, err := r.listGroups(ctx, filter, foundProperties)
	list(v, "groups", info, err, models.CreateGroupCollectionResponseFromDiscriminatorValue, func(g models.Groupable) error {
		found := foundOf(g)
		same := func(other tenant.Found) bool { return other.ID == found.ID }
		if k := key(found); !slices.ContainsFunc(r.actual.Groups[k], same) {
			r.actual.Groups[k] = append(r.actual.Groups[k], found)
		}
		return nil
	}, nil)
}

func foundOf(g models.Groupable) tenant.Found {
	return tenant.Found{
		ID: pim.NewGroupID(str(g.GetId())), Name: str(g.GetDisplayName()), Description: str(g.GetDescription()), Assignable: yes(g.GetIsAssignableToRole()),
		Security: yes(g.GetSecurityEnabled()), Synced: yes(g.GetOnPremisesSyncEnabled()), Restricted: yes(g.GetIsManagementRestricted()),
		Dynamic: slices.ContainsFunc(g.GetGroupTypes(), func(t string) bool { return strings.EqualFold(t, "DynamicMembership") }),
	}
}

// askAssignable counts the role-assignable groups of the tenant.
func (r *tenantReader) askAssignable(ctx context.Context, v *view) {
	info, err := r.listGroups(ctx, "isAssignableToRole eq true", []string{"id"})
	list(v, "role-assignable groups", info, err, models.CreateGroupCollectionResponseFromDiscriminatorValue, func(models.Groupable) error {
		r.actual.Assignable++
		return nil
	}, nil)
}

func (r *tenantReader) askPeople(ctx context.Context, v *view, filter string) {
	top := pageSize
	info, err := r.c.questions.users().ToGetRequestInformation(ctx, &users.UsersRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.UsersRequestBuilderGetQueryParameters{Filter: &filter, Select: append(r.c.same.selection(), "userPrincipalName"), Top: &top},
	})
	list(v, "people", info, err, models.CreateUserCollectionResponseFromDiscriminatorValue, func(u models.Userable) error {
		p := r.c.same.profileOf(u)
		r.actual.People[tenant.Key(string(p.ID))] = p
		if upn := str(u.GetUserPrincipalName()); upn != "" {
			r.actual.People[tenant.Key(upn)] = p
		}
		return nil
	}, nil)
}

// group is the one group of a name.
func (r *tenantReader) group(name string) (pim.GroupID, bool) {
	if found := r.actual.Groups[tenant.Key(name)]; len(found) == 1 {
		return found[0].ID, true
	}
	return "", false
}

// askDetails asks for what is in the groups that exist, and for PIM's rules of the governed ones.
func (r *tenantReader) askDetails(ctx context.Context, v *view) {
	governed := map[pim.GroupID]bool{}
	for _, role := range r.wanted.Roles {
		id, found := r.group(role.Group)
		if !found || governed[id] {
			continue
		}
		governed[id] = true
		r.askPolicy(ctx, v, id)
		r.askEligible(ctx, v, id)
	}
	seen := map[pim.GroupID]bool{}
	for _, name := range r.wanted.GroupNames() {
		id, found := r.group(name)
		if !found || seen[id] {
			continue
		}
		seen[id] = true
		r.askMembers(ctx, v, id, governed[id])
	}
}

func (r *tenantReader) change(id pim.GroupID, with func(*tenant.Details)) {
	d := r.actual.Details[id]
	with(&d)
	r.actual.Details[id] = d
}

func (r *tenantReader) askMembers(ctx context.Context, v *view, id pim.GroupID, governed bool) {
	top := pageSize
	info, err := r.c.questions.groups().ByGroupId(string(id)).Members().ToGetRequestInformation(ctx, &groups.ItemMembersRequestBuilderGetRequestConfiguration{
		QueryParameters: &groups.ItemMembersRequestBuilderGetQueryParameters{Select: r.c.same.selection(), Top: &top},
	})
	nested := false
	list(v, "members", info, err, models.CreateDirectoryObjectCollectionResponseFromDiscriminatorValue, func(o models.DirectoryObjectable) error {
		m := tenant.Member{ID: pim.NewPrincipalID(str(o.GetId()))}
		r.change(id, func(d *tenant.Details) {
			switch of := o.(type) {
			case models.Userable:
				p := r.c.same.profileOf(of)
				m.Name = p.Name
				d.People = append(d.People, p)
			case models.Groupable:
				m.Name, m.IsGroup, nested = str(of.GetDisplayName()), true, true
			}
			d.Members = append(d.Members, m)
		})
		return nil
	}, func() []*reading {
		if nested && !governed {
			r.nested = append(r.nested, id)
		}
		if governed && len(r.actual.Details[id].Members) > 0 {
			r.active = append(r.active, id)
		}
		return nil
	})
}

// askRelated asks for one relation of many groups at once. Graph tells at most twenty of each.
// https://learn.microsoft.com/graph/query-parameters#expand-parameter
func (r *tenantReader) askRelated(ctx context.Context, v *view, names, ids []string, relation string, keep func(models.Groupable)) {
	ask := func(filter string) {
		info, err := r.c.questions.groups().ToGetRequestInformation(ctx, &groups.GroupsRequestBuilderGetRequestConfiguration{
			QueryParameters: &groups.GroupsRequestBuilderGetQueryParameters{
				Filter: &filter, Select: []string{"id"}, Expand: []string{relation + "($select=id,displayName)"},
			},
		})
		list(v, "groups with their "+relation, info, err, models.CreateGroupCollectionResponseFromDiscriminatorValue, func(g models.Groupable) error {
			keep(g)
			return nil
		}, nil)
	}
	inChunks(names, func(in string) { ask("displayName in " + in) })
	inChunks(ids, func(in string) { ask("id in " + in) })
}

func (r *tenantReader) addOwners(g models.Groupable) {
	r.change(pim.NewGroupID(str(g.GetId())), func(d *tenant.Details) {
		d.Owners = nil // one that is named by name and by id is asked for twice
		for _, o := range g.GetOwners() {
			owner := tenant.Member{ID: pim.NewPrincipalID(str(o.GetId())), Name: nameIn(o)}
			d.Owners = append(d.Owners, owner)
		}
	})
}

func (r *tenantReader) addAround(g models.Groupable) {
	r.change(pim.NewGroupID(str(g.GetId())), func(d *tenant.Details) {
		d.Within = nil
		for _, o := range g.GetMemberOf() {
			if _, isGroup := o.(models.Groupable); isGroup { // administrative units and directory roles are others
				d.Within = append(d.Within, cmp.Or(nameIn(o), str(o.GetId())))
			}
		}
	})
}

// nameIn is the display name of whatever the directory holds.
func nameIn(o models.DirectoryObjectable) string {
	if named, ok := o.(interface{ GetDisplayName() *string }); ok {
		return str(named.GetDisplayName())
	}
	return textIn(o.GetAdditionalData(), "displayName")
}

// youngGroup lets a list be empty where PIM does not know the group: one that was made minutes ago, or was never under PIM.
func youngGroup(v *view) {
	if len(v.queue) == 0 {
		return
	}
	last := v.queue[len(v.queue)-1]
	last.young = true
	last.absent = func(f fault) bool {
		code := strings.ToLower(f.code)
		for _, known := range []string{"notfound", "subjectnotfound", "rolenotfound", "resourcenotfound"} {
			if strings.HasSuffix(code, known) {
				return true
			}
		}
		return false
	}
}

func (r *tenantReader) askEligible(ctx context.Context, v *view, id pim.GroupID) {
	filter := "groupId eq " + quoted(id)
	info, err := r.c.questions.groupAccess().EligibilityScheduleInstances().ToGetRequestInformation(ctx,
		&identitygovernance.PrivilegedAccessGroupEligibilityScheduleInstancesRequestBuilderGetRequestConfiguration{
			QueryParameters: &identitygovernance.PrivilegedAccessGroupEligibilityScheduleInstancesRequestBuilderGetQueryParameters{Filter: &filter},
		})
	list(v, "eligibilities", info, err, models.CreatePrivilegedAccessGroupEligibilityScheduleInstanceCollectionResponseFromDiscriminatorValue,
		func(i models.PrivilegedAccessGroupEligibilityScheduleInstanceable) error {
			e := eligibilityOf(i)
			one := tenant.Eligible{Principal: e.Principal, End: e.End}
			if e.Group != id {
				return nil
			}
			r.change(id, func(d *tenant.Details) {
				if strings.EqualFold(e.Access, pim.Member) {
					d.Eligible = append(d.Eligible, one)
				} else {
					d.Owning = append(d.Owning, one)
				}
			})
			return nil
		}, nil)
	youngGroup(v)
}

// askRest asks for the people in nested groups, and for who is in a role's group by PIM.
func (r *tenantReader) askRest(ctx context.Context, v *view) {
	for _, id := range r.nested {
		v.askMembers(ctx, id)
	}
	for _, id := range r.active {
		v.askActive(ctx, id)
	}
	r.askUnnamed(v)
}

// mostIDs is how many ids Graph names at once.
// https://learn.microsoft.com/graph/api/directoryobject-getbyids
const mostIDs = 1000

// askUnnamed asks who they are of whom an id alone is known.
func (r *tenantReader) askUnnamed(v *view) {
	var ids []string
	unknown := func(id pim.PrincipalID) {
		if r.actual.NameOf(id) == string(id) && id != "" {
			ids = append(ids, string(id))
		}
	}
	for _, d := range r.actual.Details {
		for _, e := range slices.Concat(d.Eligible, d.Owning) {
			unknown(e.Principal)
		}
		if d.Policy == nil {
			continue
		}
		for _, id := range d.Policy.ApproverPeople {
			unknown(id)
		}
		for _, id := range d.Policy.ApproverGroups {
			unknown(pim.PrincipalID(id))
		}
	}
	slices.Sort(ids)
	for chunk := range slices.Chunk(slices.Compact(ids), mostIDs) {
		body, err := json.Marshal(map[string][]string{"ids": chunk})
		v.put(&reading{name: "names", method: http.MethodPost, path: "/directoryObjects/getByIds", body: body, take: func(body []byte) (string, error) {
			return takePage(r.c, body, models.CreateDirectoryObjectCollectionResponseFromDiscriminatorValue, func(o models.DirectoryObjectable) error {
				if name := nameIn(o); name != "" {
					r.actual.Names[pim.NewPrincipalID(str(o.GetId()))] = name
				}
				return nil
			})
		}}, err)
	}
}

// settle takes what the shared readings keep in the view's own answer.
func (r *tenantReader) settle(v *view) {
	for id, people := range v.answer.Members {
		r.change(id, func(d *tenant.Details) { d.People = people })
	}
	for id, instances := range v.answer.Active {
		r.change(id, func(d *tenant.Details) {
			d.Activated, d.Assigned = map[pim.PrincipalID]bool{}, map[pim.PrincipalID]time.Time{}
			for _, i := range instances {
				switch {
				case i.Access != pim.Member:
				case i.Activated:
					d.Activated[i.Principal] = true
				default: // nobody asks before, and nobody approves
					d.Assigned[i.Principal] = i.End
				}
			}
		})
	}
}

// readError says what was not read, and which permission it needs where one is missing.
func (a *Administrator) readError(err error) error {
	e := pim.Explain(err)
	said := refusal(e)
	if at := readingName.FindStringSubmatch(err.Error()); at != nil {
		said = strings.TrimSuffix(said, ".") + ", asked for " + at[1] + "."
	}
	switch {
	case e.Kind == pim.Forbidden, isMissingRight(e.Code):
		return pim.Errorf(pim.Administered, "%s", said+" To read what stands in the tenant, the permissions "+strings.Join(a.cfg.Permissions(), ", ")+
			" are needed, and for a person a role that may read PIM, as Global Reader. A Global Administrator can grant both.")
	case e.Kind == pim.SignIn:
		return pim.Errorf(pim.SignIn, "%s", signInEnded)
	case e.Kind == pim.Throttled, e.Kind == pim.Unavailable:
		// Of what was changed before, nothing is said here.
		return &pim.Error{Kind: e.Kind, RetryAfter: e.RetryAfter, Message: "What stands in the tenant could not be read: Microsoft Graph is asked too much or does not answer. Run the command again in some minutes."}
	case e.Kind == pim.Administered, e.Kind == pim.NotFound, e.Kind == pim.Invalid:
		return pim.Errorf(pim.Administered, "%s", said)
	}
	return err
}

// readingName finds in an error what was read; rounds put it there.
var readingName = regexp.MustCompile(`reading ([A-Za-z' -]+):`)

// refusal is what Graph's refusal comes to, with its code and number for a support case.
func refusal(e *pim.Error) string {
	says := "Microsoft Graph refused"
	if e.Code != "" {
		says += " with " + e.Code
	}
	if len(e.Rules) > 0 {
		says += ", because of PIM's rule " + strings.Join(e.Rules, ", ")
	}
	if e.RequestID != "" {
		says += " (request " + e.RequestID + ")"
	}
	return says + "."
}

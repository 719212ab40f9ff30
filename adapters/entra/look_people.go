package entra

import (
	"context"
	"strings"

	"github.com/microsoftgraph/msgraph-sdk-go/groups"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"elevate/internal/pim"
)

// pageSize is asked for where Graph takes it.
const pageSize int32 = 999

func (v *view) askMembers(ctx context.Context, group pim.GroupID) {
	top := pageSize
	info, err := v.client.questions.groups().ByGroupId(string(group)).TransitiveMembers().GraphUser().
		ToGetRequestInformation(ctx, &groups.ItemTransitiveMembersGraphUserRequestBuilderGetRequestConfiguration{
			QueryParameters: &groups.ItemTransitiveMembersGraphUserRequestBuilderGetQueryParameters{Select: v.client.same.selection(), Top: &top},
		})
	members := []pim.Profile{}
	list(v, "members", info, err, models.CreateUserCollectionResponseFromDiscriminatorValue,
		func(u models.Userable) error {
			members = append(members, v.client.same.profileOf(u))
			return nil
		}, func() []*reading {
			v.answer.Members[group] = members
			return nil
		})
}

// askOwners asks who owns a group. Applications that own it are left out: nobody signs in as one.
func (v *view) askOwners(ctx context.Context, group pim.GroupID) {
	top := pageSize
	info, err := v.client.questions.groups().ByGroupId(string(group)).Owners().GraphUser().
		ToGetRequestInformation(ctx, &groups.ItemOwnersGraphUserRequestBuilderGetRequestConfiguration{
			QueryParameters: &groups.ItemOwnersGraphUserRequestBuilderGetQueryParameters{Select: v.client.same.selection(), Top: &top},
		})
	owners := []pim.Profile{}
	list(v, "owners", info, err, models.CreateUserCollectionResponseFromDiscriminatorValue,
		func(u models.Userable) error {
			owners = append(owners, v.client.same.profileOf(u))
			return nil
		}, func() []*reading {
			v.answer.Owners[group] = owners
			return nil
		})
}

func (v *view) askProfile(ctx context.Context, person pim.PrincipalID) {
	info, err := v.client.questions.users().ByUserId(string(person)).
		ToGetRequestInformation(ctx, &users.UserItemRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.UserItemRequestBuilderGetQueryParameters{Select: v.client.same.selection()},
		})
	r, err := v.client.newReading("profiles", info, err)
	if err == nil {
		r.take = func(body []byte) (string, error) {
			user, err := parsed[models.Userable](v.client, body, models.CreateUserFromDiscriminatorValue)
			if err != nil {
				return "", err
			}
			profile := v.client.same.profileOf(user)
			if profile.ID != person {
				return "", errOther
			}
			v.answer.Profiles[person] = profile
			return "", nil
		}
		r.absent = func(f fault) bool {
			if !unknownToDirectory(f) {
				return false
			}
			v.answer.Profiles[person] = pim.Profile{ID: person}
			return true
		}
	}
	v.put(r, err)
}

// unknownToDirectory reports whether a 404 is about the object and not about the address.
func unknownToDirectory(f fault) bool { return strings.EqualFold(f.code, "Request_ResourceNotFound") }

// askAccess asks for PIM's instances and for the membership itself; only both together are an answer.
func (v *view) askAccess(ctx context.Context, m pim.Membership) {
	var access pim.Access
	missing := 2
	settle := func() {
		if missing--; missing == 0 {
			v.answer.Access[m] = access
		}
	}
	filter := "groupId eq " + quoted(m.Group) + " and principalId eq " + quoted(m.Principal)
	v.askInstances(ctx, "access", filter, func(instances []pim.Instance) {
		for _, i := range instances {
			if i.Access == pim.Member && i.Group == m.Group && i.Principal == m.Principal {
				access.Instances = append(access.Instances, i)
			}
		}
		settle()
	})
	v.put(v.client.memberOf(ctx, "membership", m.Principal, []string{string(m.Group)}, func(in map[string]bool) []*reading {
		access.Member = in[string(m.Group)]
		settle()
		return nil
	}))
}

// memberOf asks in which of at most twenty groups a person is, directly or through others.
func (c *Client) memberOf(ctx context.Context, name string, person pim.PrincipalID, ids []string, keep func(map[string]bool) []*reading) (*reading, error) {
	body := users.NewItemCheckMemberGroupsPostRequestBody()
	body.SetGroupIds(ids)
	info, err := c.questions.users().ByUserId(string(person)).CheckMemberGroups().
		ToPostRequestInformation(ctx, body, nil)
	r, err := c.newReading(name, info, err)
	if err != nil {
		return nil, err
	}
	in := map[string]bool{}
	r.take = func(body []byte) (string, error) {
		page, err := parsed[users.ItemCheckMemberGroupsPostResponseable](c, body, users.CreateItemCheckMemberGroupsPostResponseFromDiscriminatorValue)
		if err != nil {
			return "", err
		}
		if page.GetValue() == nil {
			return "", pim.Errorf(pim.Unavailable, "Microsoft Graph gave an answer without content. Try again in a minute.")
		}
		for _, id := range page.GetValue() {
			in[strings.ToLower(id)] = true
		}
		return str(page.GetOdataNextLink()), nil
	}
	r.done = func() []*reading { return keep(in) }
	r.absent = func(f fault) bool { // a person the directory does not know is in no group
		if !unknownToDirectory(f) {
			return false
		}
		keep(in)
		return true
	}
	return r, nil
}

// selection are the properties that a profile is made of.
func (a attribute) selection() []string {
	list := []string{"id", "displayName", "accountEnabled", "userType"}
	if a.property != "" {
		list = append(list, a.property)
	}
	return list
}

// profileOf reads a person. Who is not said to be enabled is not.
func (a attribute) profileOf(u models.Userable) pim.Profile {
	return pim.Profile{
		ID: pim.NewPrincipalID(str(u.GetId())), Name: str(u.GetDisplayName()), Enabled: yes(u.GetAccountEnabled()),
		Guest: strings.EqualFold(str(u.GetUserType()), "Guest"), SamePerson: a.of(u), Found: true,
	}
}

// of reads the attribute that is equal for all accounts of one person.
func (a attribute) of(u models.Userable) string {
	switch {
	case a.property == "":
		return ""
	case a.property == "employeeId":
		return str(u.GetEmployeeId())
	case a.property == "onPremisesImmutableId":
		return str(u.GetOnPremisesImmutableId())
	case a.part == "":
		return textIn(u.GetAdditionalData(), a.property)
	}
	attributes := u.GetOnPremisesExtensionAttributes()
	if attributes == nil {
		return ""
	}
	value, err := attributes.GetBackingStore().Get(a.part)
	if err != nil {
		return ""
	}
	s, _ := value.(*string)
	return str(s)
}

// textIn reads a text that the SDK has no property for.
func textIn(extra map[string]any, name string) string {
	s, _ := extra[name].(*string)
	return str(s)
}

func (k *call) users() *users.UsersRequestBuilder {
	return users.NewUsersRequestBuilderInternal(k.root(), k.adapter)
}

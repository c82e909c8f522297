using System.Security.Claims;
using System.Security.Cryptography;
using DicomServerless.EdgeGateway.Hosting;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.Caching.Memory;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary>
/// The sessions of users who are logged in: cookies of the platform, whose tickets stay in memory, so that a logout ends every copy of the cookie. A restart
/// logs everyone out, as does a change of what the login was checked against.
/// </summary>
internal sealed class Sessions(GatewayConfiguration configuration, TimeProvider time) : ITicketStore, IDisposable
{
    /// <summary>The authentication scheme.</summary>
    public const string Scheme = "session";

    /// <summary>The cookie's name.</summary>
    public const string Cookie = "dicom-gateway-session";

    private const string Origin = "origin";
    private const int Most = 1_000, KeyBytes = 32;
    private readonly MemoryCache tickets = new(new MemoryCacheOptions { SizeLimit = Most });

    /// <summary>What the cookie of a session is like.</summary>
    public void Configure(CookieAuthenticationOptions options)
    {
        options.SessionStore = this;
        options.SlidingExpiration = false;
        options.Cookie.Name = Cookie;
        options.Cookie.HttpOnly = true;
        options.Cookie.SameSite = SameSiteMode.Strict;
        options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        options.Events.OnValidatePrincipal = context =>
        {
            if (!context.Properties.Items.TryGetValue(Origin, out var origin) || origin != OriginOf(configuration.Current.Http)) context.RejectPrincipal();
            return Task.CompletedTask;
        };
    }

    /// <summary>Logs a user in: sets the cookie.</summary>
    public Task BeginAsync(HttpContext http, string user)
    {
        var properties = new AuthenticationProperties();
        Begin(properties);
        return http.SignInAsync(Scheme, PrincipalOf(user), properties);
    }

    /// <summary>Makes a session of what an OpenID login left: its end, and the settings that it was checked against.</summary>
    public void Begin(AuthenticationProperties properties)
    {
        var options = configuration.Current.Http;
        (properties.IsPersistent, properties.AllowRefresh) = (true, false);
        properties.ExpiresUtc = time.GetUtcNow() + TimeSpan.FromHours(options.SessionHours);
        properties.Items[Origin] = OriginOf(options);
    }

    /// <summary>A user of whom nothing but the name is known.</summary>
    public static ClaimsPrincipal PrincipalOf(string user) => new(new ClaimsIdentity([new Claim(ClaimTypes.Name, user)], Scheme));

    /// <inheritdoc />
    public Task<string> StoreAsync(AuthenticationTicket ticket)
    {
        var key = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(KeyBytes));
        Keep(key, ticket);
        return Task.FromResult(key);
    }

    /// <inheritdoc />
    public Task RenewAsync(string key, AuthenticationTicket ticket)
    {
        Keep(key, ticket);
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task<AuthenticationTicket?> RetrieveAsync(string key) => Task.FromResult(tickets.Get<AuthenticationTicket>(key));

    /// <inheritdoc />
    public Task RemoveAsync(string key)
    {
        tickets.Remove(key);
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public void Dispose() => tickets.Dispose();

    private void Keep(string key, AuthenticationTicket ticket) =>
        tickets.Set(key, ticket, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpiration = ticket.Properties.ExpiresUtc });

    private static string OriginOf(HttpOptions options) =>
        string.Join('\n', options.User, options.PasswordHash, options.Oidc.Authority, options.Oidc.ClientId, options.Oidc.RoleClaim, options.Oidc.RequiredRole);
}

using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Options;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary>How users of the dashboard sign in: the platform's cookies and its OpenID handler, with what is ours about them.</summary>
internal static class SignIn
{
    /// <summary>Adds the services.</summary>
    public static void AddSignIn(this IServiceCollection services)
    {
        services.AddAuthentication(Sessions.Scheme).AddCookie(Sessions.Scheme).AddOpenIdConnect(OidcLogin.Scheme, _ => { });
        // Sessions end with the process, and so do the keys. This hosted service would put some on the disk.
        services.AddDataProtection().UseEphemeralDataProtectionProvider();
        foreach (var service in services.Where(service => service.ServiceType == typeof(IHostedService)
            && service.ImplementationType?.Assembly == typeof(EphemeralDataProtectionProvider).Assembly).ToArray()) services.Remove(service);
        services.AddSingleton<Sessions>();
        services.AddSingleton<OidcLogin>();
        services.AddOptions<CookieAuthenticationOptions>(Sessions.Scheme).Configure<Sessions>((options, sessions) => sessions.Configure(options));
        services.AddSingleton<IConfigureOptions<OpenIdConnectOptions>>(provider => provider.GetRequiredService<OidcLogin>());
        services.AddSingleton<Passwords>();
        services.AddSingleton<AccessControl>();
    }

    /// <summary>Adds what decides about each request, and answers what an OpenID provider sends back.</summary>
    public static void UseSignIn(this WebApplication app)
    {
        app.Services.GetRequiredService<OidcLogin>().Follow();
        var access = app.Services.GetRequiredService<AccessControl>();
        app.Use((RequestDelegate next) => request => access.InvokeAsync(request, next));
        app.UseAuthentication();
    }
}

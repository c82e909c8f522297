using System.Net.Sockets;
using System.Security.Cryptography;
using DicomServerless.EdgeGateway.Audit;
using DicomServerless.EdgeGateway.Commitment;
using DicomServerless.EdgeGateway.Dashboard;
using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Query;
using DicomServerless.EdgeGateway.Scp;
using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.EdgeGateway.Transactions;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Console;

namespace DicomServerless.EdgeGateway;

/// <summary>The application: every registration and every route.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        if (await Verbs.RunAsync(args) is { } code) return code;
        var problems = new List<string>();
        var configuration = GatewayConfiguration.Load(args, AppContext.BaseDirectory, problems);
        if (configuration is null)
        {
            foreach (var problem in problems) await Console.Error.WriteLineAsync("Configuration: " + problem);
            return 1;
        }
        try
        {
            await using var app = Build(args, configuration);
            await app.RunAsync();
            return 0;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or SocketException or CryptographicException)
        {
            await Console.Error.WriteLineAsync("The gateway cannot start: " + (exception.InnerException is AddressInUseException
                ? $"Gateway:Http:Url: {exception.Message} End what has the port, or change Gateway:Http:Url." : exception.Message));
            return 1;
        }
    }

    /// <summary>Puts the application together.</summary>
    /// <exception cref="IOException">The spool's folder cannot be used.</exception>
    private static WebApplication Build(string[] args, GatewayConfiguration configuration)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddConfiguration(GatewayConfiguration.Sources(args, AppContext.BaseDirectory));
        AddLogging(builder.Logging, configuration.Current.LogFormat);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        if (configuration.Current.Http.Url.StartsWith("https:", StringComparison.OrdinalIgnoreCase)) AddHttps(builder.WebHost, configuration);
        var services = builder.Services;
        services.AddSingleton(configuration);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<Func<Guid>>(_ => NewGuid);
        services.AddSingleton(provider => Spool.Open(configuration.Current.Spool, TimeProvider.System, provider.GetRequiredService<ILogger<Spool>>()));
        services.AddSingleton(provider => new TransactionLog(
            Path.Combine(provider.GetRequiredService<Spool>().Root, ".transactions"), () => configuration.Current.Transactions, TimeProvider.System,
            provider.GetRequiredService<ILogger<TransactionLog>>()));
        services.AddSingleton(provider => new CommitmentStore(Path.Combine(provider.GetRequiredService<Spool>().Root, ".commitment"),
            provider.GetRequiredService<ILogger<CommitmentStore>>()));
        services.AddSingleton<Archives>();
        services.AddSingleton<RemoteAes>();
        services.AddSingleton<WaitingObjects>();
        services.AddSingleton<StudyPatients>();
        services.AddSingleton<StoreScp>();
        services.AddSingleton<FindScp>();
        services.AddSingleton<RetrieveScp>();
        services.AddSingleton<CommitmentCheck>();
        services.AddSingleton<CommitmentWorker>();
        services.AddSingleton<CommitmentScp>();
        services.AddSingleton<GatewayServer>();
        services.AddSingleton(provider => new Forwarder(provider.GetRequiredService<Spool>(), new ForwarderContext(
            called => PolicyOf(configuration, called), TimeProvider.System, NewGuid, provider.GetRequiredService<ILogger<Forwarder>>(),
                provider.GetRequiredService<ForwardRecords>().Report)));
        services.AddSingleton<ForwardRecords>();
        services.AddSingleton<StatusSource>();
        services.AddSingleton<GatewayMetrics>();
        services.AddSingleton<MetricsText>();
        services.AddSingleton<EchoApi>();
        services.AddSingleton<QueryApi>();
        services.AddSingleton<QuarantineApi>();
        services.AddSingleton<OperatorRecords>();
        services.AddSignIn();
        services.AddSingleton<AuditTrail>();
        // In this order: what is received is forwarded, and stopped in the reverse one.
        services.AddHostedService(provider => provider.GetRequiredService<TransactionLog>());
        Telemetry.Add(services, builder.Configuration);
        services.AddHostedService(provider => provider.GetRequiredService<AuditTrail>());
        services.AddHostedService<ForwarderHost>();
        services.AddHostedService(provider => provider.GetRequiredService<CommitmentWorker>());
        services.AddHostedService(provider => provider.GetRequiredService<GatewayServer>());
        services.AddHostedService<ConfigurationWatch>();

        var app = builder.Build();
        app.Urls.Add(configuration.Current.Http.Url);
        var http = configuration.Current.Http;
        if (http.SendsPasswordsInClear) GatewayLog.PasswordsUnencrypted(app.Services.GetRequiredService<ILogger<GatewayConfiguration>>(), http.Url);
        if (http.TrustedProxies.Count > 0) app.UseForwardedHeaders(http.ForwardedHeaders());
        app.UseSignIn();
        app.UseRouting();
        Routes.Map(app);
        app.Lifetime.ApplicationStarted.Register(() =>
        {
            if (RunningUrl.Write(app.Services.GetRequiredService<Spool>().Root, http.Url) is var error and not 0)
                GatewayLog.UrlNotWritten(app.Services.GetRequiredService<ILogger<GatewayConfiguration>>(), error);
        });
        return app;
    }

    private static string? PolicyOf(GatewayConfiguration configuration, string calledAe) =>
        configuration.Current.Aes.TryGetValue(calledAe, out var ae) && ae.DuplicatePolicy.Length > 0 ? ae.DuplicatePolicy : null;

#pragma warning disable RS0030 // the one place where random ids come from
    private static Guid NewGuid() => Guid.NewGuid();
#pragma warning restore RS0030

    private static void AddHttps(IWebHostBuilder host, GatewayConfiguration configuration)
    {
        var certificate = new HttpsCertificate(() => configuration.Current.Http);
        _ = certificate.Current; // a bad one ends the start with its reason
        host.UseKestrelHttpsConfiguration();
        host.ConfigureKestrel(kestrel =>
        {
            certificate.Log = kestrel.ApplicationServices.GetRequiredService<ILogger<HttpsCertificate>>();
            kestrel.ConfigureHttpsDefaults(https =>
            {
                https.ServerCertificateSelector = (_, _) => certificate.Current.TargetCertificate;
                // With the certificates between it and the authority, which the selector cannot give.
                https.OnAuthenticate = (_, ssl) => (ssl.ServerCertificateSelectionCallback, ssl.ServerCertificateContext) = (null, certificate.Current);
            });
        });
    }

    private static void AddLogging(ILoggingBuilder logging, LogFormat format)
    {
        const string Timestamp = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
        logging.ClearProviders();
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None); // why it did not start is said in one line
        if (format == LogFormat.Json) logging.AddJsonConsole(json => (json.TimestampFormat, json.UseUtcTimestamp) = (Timestamp.Trim(), true));
        else
            logging.AddSimpleConsole(simple =>
            {
                (simple.TimestampFormat, simple.UseUtcTimestamp) = (Timestamp, true);
                (simple.SingleLine, simple.ColorBehavior) = (true, LoggerColorBehavior.Disabled);
            });
    }
}

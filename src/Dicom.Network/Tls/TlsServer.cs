using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Dicom.Network;

/// <summary>TLS of a listening address. Files that have changed are read before the next handshake; when they are bad, the old ones stay.</summary>
internal sealed partial class TlsServer
{
    private readonly TlsServerOptions options;
    private readonly ILogger log;
    private readonly Lock gate = new();
    private string stamp;
    private SslStreamCertificateContext certificate;
    private X509Certificate2Collection? authorities;

    public TlsServer(TlsServerOptions options, ILogger log)
    {
        (this.options, this.log) = (options, log);
        if (options.ClientCertificates != ClientCertificates.None && options.CaFile is null)
            throw new IOException("Client certificates are asked for, but there is no file of certificate authorities to check them against.");
        stamp = Stamp();
        (certificate, authorities) = Load();
    }

    public async Task<SslStream> AuthenticateAsync(Stream raw, CancellationToken cancellationToken)
    {
        var (context, trusted) = Current();
        var tls = new SslStream(raw, leaveInnerStreamOpen: true);
        try
        {
            await tls.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions
                {
                    ServerCertificateContext = context,
                    ClientCertificateRequired = options.ClientCertificates != ClientCertificates.None,
                    EnabledSslProtocols = TlsProfiles.Protocols(options.Profile),
                    CipherSuitesPolicy = TlsProfiles.Suites(options.Profile),
                    CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                    RemoteCertificateValidationCallback = (_, shown, chain, _) => shown is X509Certificate2 client
                        ? trusted is not null && CertificateFiles.IsTrusted(client, chain, trusted)
                        : options.ClientCertificates != ClientCertificates.Required,
                },
                cancellationToken);
            return tls;
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
    }

    private (SslStreamCertificateContext Certificate, X509Certificate2Collection? Authorities) Current()
    {
        lock (gate)
        {
            var now = Stamp();
            if (now == stamp) return (certificate, authorities);
            stamp = now;
            try
            {
                (certificate, authorities) = Load();
                Reloaded(log);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
            {
                NotReloaded(log, e.Message);
            }
            return (certificate, authorities);
        }
    }

    private (SslStreamCertificateContext Certificate, X509Certificate2Collection? Authorities) Load() =>
        (CertificateFiles.Load(options.CertificateFile, options.KeyFile), options.CaFile is { } ca ? CertificateFiles.LoadAuthorities(ca) : null);

    // By content: mounted secrets are links whose own times stay, and a restored file may be older than the one before it.
    private string Stamp()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in (string?[])[options.CertificateFile, options.KeyFile, options.CaFile])
        {
            try
            {
                if (file is not null) hash.AppendData(SHA256.HashData(File.ReadAllBytes(file)));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                hash.AppendData([0]); // not there now
            }
        }
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    [LoggerMessage(3101, LogLevel.Information, "The certificate files have changed and were read again")]
    private static partial void Reloaded(ILogger log);

    [LoggerMessage(3102, LogLevel.Error, "The certificate files have changed but cannot be used; the old certificate stays: {Reason}")]
    private static partial void NotReloaded(ILogger log, string reason);
}

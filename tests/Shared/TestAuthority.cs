using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace DicomServerless.Shared;

/// <summary>A certificate authority with a folder of its own: <c>ca.pem</c>, and <c>{file}.pem</c> and <c>{file}.key</c> of what it issued.</summary>
public sealed class TestAuthority : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("authority").FullName;
    private readonly X509Certificate2 authority;

    public TestAuthority()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=Test CA", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        authority = request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(100));
        File.WriteAllText(At("ca.pem"), authority.ExportCertificatePem());
    }

    public string At(string name) => Path.Combine(folder, name);

    /// <param name="file">The name of its two files.</param>
    /// <param name="name">The common name, and the DNS name.</param>
    public void Issue(string file, string name)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        using var certificate = request.Create(authority, DateTimeOffset.UnixEpoch.AddYears(51),
            DateTimeOffset.UnixEpoch.AddYears(99), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(At(file + ".pem"), certificate.ExportCertificatePem());
        File.WriteAllText(At(file + ".key"), key.ExportPkcs8PrivateKeyPem());
    }

    public void Dispose()
    {
        authority.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}

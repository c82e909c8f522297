using DicomServerless.Storage;
using DicomServerless.Storage.Azure;

namespace DicomServerless.Unit.Storage;

public sealed class TableFilterTests
{
    public static TheoryData<object, string> Literals => new()
    {
        { "O'Brien' or 1 eq 1 or 'x", "'O''Brien'' or 1 eq 1 or ''x'" }, { "{0}", "'{0}'" }, { 5, "5" }, { -5L, "-5L" }, { true, "true" },
        { 0.1, "0.1" },
        { new DateTimeOffset(2024, 5, 6, 9, 8, 9, TimeSpan.FromHours(2)).AddTicks(1), "datetime'2024-05-06T07:08:09.0000001Z'" },
        { new Guid("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), "guid'6ba7b810-9dad-11d1-80b4-00c04fd430c8'" }, { new byte[] { 0, 171 }, "X'00AB'" },
    };

    [Theory]
    [MemberData(nameof(Literals))]
    public void A_literal_has_its_type_and_cannot_be_left(object value, string expected) =>
        Assert.Equal("C eq " + expected, TableFilter.Of(new TableQuery { Columns = [new("C", ColumnOperator.Equal, value)] }));

    [Fact]
    public void A_query_is_the_conjunction_of_its_parts()
    {
        var query = new TableQuery
            { PartitionKeyFrom = "a", PartitionKeyBefore = "b", RowKeyFrom = "c", RowKeyBefore = "d", Columns = [new("N", ColumnOperator.NotEqual, 1)] };
        Assert.Equal("PartitionKey ge 'a' and PartitionKey lt 'b' and RowKey ge 'c' and RowKey lt 'd' and N ne 1", TableFilter.Of(query));
        Assert.Null(TableFilter.Of(new TableQuery()));
    }
}
